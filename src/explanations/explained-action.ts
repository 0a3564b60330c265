/** The actions about one image that can be explained, and which rules they are held to. */
import { ApiError } from '../lib/errors.ts'

export interface ExplainedAction {
  /** `RunInstances` */
  readonly name: string
  /**
   * Listed: to whoever sees the image, unless lists leave it out. Seen: by its id. Launched and copied: of one that is available, with
   * its disks and their keys. Owned: by its owner alone, in any state, or in one.
   */
  readonly needs: 'to list' | 'to see' | 'to launch' | 'to copy' | 'to own' | 'to own it available'
}

const actions: readonly ExplainedAction[] = [
  { name: 'DescribeImages', needs: 'to list' },
  { name: 'GetImageAncestry', needs: 'to see' },
  { name: 'RunInstances', needs: 'to launch' },
  { name: 'CopyImage', needs: 'to copy' },
  { name: 'ModifyImageAttribute', needs: 'to own it available' },
  { name: 'DeregisterImage', needs: 'to own' },
]

/** Reads `RunInstances` or `ec2:RunInstances`. */
export function explainedAction(text: string): ExplainedAction {
  const name = text.replace(/^ec2:/, '')
  const found = actions.find((action) => action.name.toLowerCase() === name.toLowerCase())
  if (found) return found
  throw new ApiError(
    'InvalidParameterValue',
    `There is nothing to explain of '${text}'. It must be one of: ` +
      `${actions.map((action) => action.name).join(', ')}.`,
  )
}
