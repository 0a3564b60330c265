/** What making a key pair demands. Its name is known before it is there. */
import type { Demand } from '../iam/demand.ts'
import { type Asking, making, taggingDemands } from '../iam/ec2-touched.ts'

export function keyPairDemands(
  action: 'CreateKeyPair' | 'ImportKeyPair',
  input: { readonly KeyName: string | undefined; readonly KeyType?: string | undefined },
  asking: Asking,
): readonly Demand[] {
  const { KeyName: name, KeyType } = input
  // What is imported says itself of which type it is.
  const facts = action === 'CreateKeyPair' ? { KeyPairType: KeyType ?? 'rsa' } : {}
  return [
    making(action, 'key-pair', input, asking, { facts, name }),
    ...taggingDemands(action, input, asking, { 'key-pair': name }),
  ]
}
