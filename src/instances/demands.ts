/** What the calls that change attributes of instances demand. */
import type {
  ModifyInstanceAttributeRequest,
  ModifyInstanceMetadataOptionsRequest,
} from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { attributeNamed, changesOf } from '../iam/ec2-resources.ts'
import { type Asking, demandsOn, namesAt } from '../iam/ec2-touched.ts'

/** What a call says beside the attributes that it changes. */
const besides = ['Attribute', 'ClientToken', 'DryRun', 'Force', 'InstanceId', 'Value']

/** The attributes of the members of an input, each with its value where that is a single one. */
function attributesIn(input: object): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {}
  for (const [name, given] of Object.entries(input)) {
    if (given === undefined || besides.includes(name)) continue
    const isWrapped = typeof given === 'object' && given !== null && 'Value' in given
    const value: unknown = isWrapped ? given.Value : given
    found[name] = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
  }
  return found
}

/** The instance, and the groups and volumes that it gets another relation to. */
export async function modifyInstanceAttributeDemands(
  input: ModifyInstanceAttributeRequest,
  asking: Asking,
): Promise<readonly Demand[]> {
  const action = 'ModifyInstanceAttribute'
  const { Attribute, Value } = input
  const attributes = {
    ...attributesIn(input),
    ...(Attribute !== undefined && { [attributeNamed(Attribute)]: Value }),
  }
  const groups = namesAt(input, 'Groups')
  const volumes = namesAt(input, 'BlockDeviceMappings.Ebs.VolumeId')
  return [
    ...(await demandsOn(action, 'instance', idsOf(input), asking, changesOf({ attributes }))),
    ...(groups.length > 0 ? await demandsOn(action, 'security-group', groups, asking) : []),
    ...(volumes.length > 0 ? await demandsOn(action, 'volume', volumes, asking) : []),
  ]
}

export function modifyInstanceMetadataOptionsDemands(
  input: ModifyInstanceMetadataOptionsRequest,
  asking: Asking,
): Promise<readonly Demand[]> {
  const changes = changesOf({ attributes: attributesIn(input) })
  return demandsOn('ModifyInstanceMetadataOptions', 'instance', idsOf(input), asking, changes)
}

const idsOf = ({ InstanceId }: { readonly InstanceId: string | undefined }) =>
  InstanceId ? [InstanceId] : []
