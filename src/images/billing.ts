/** What EC2 says of an image's platform: it is by this that tools tell Windows from Linux. */
import type { Image } from './image.ts'

type Billing = Pick<Image, 'platform' | 'platformDetails' | 'usageOperation'>

export function billingOf(platform: Image['platform']): Billing {
  return platform === 'windows'
    ? { platform, platformDetails: 'Windows', usageOperation: 'RunInstances:0002' }
    : { platform, platformDetails: 'Linux/UNIX', usageOperation: 'RunInstances' }
}
