/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UnlabelParameterVersion.html */
import type {
  UnlabelParameterVersionRequest,
  UnlabelParameterVersionResult,
} from '@aws-sdk/client-ssm'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { checkCount, labelsMax, parameterNotFound, versionNotFound } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { listVersions, setLabels } from '../store.ts'

export const unlabelParameterVersion = writeOperation<
  UnlabelParameterVersionRequest,
  UnlabelParameterVersionResult
>({
  service: 'ssm',
  action: 'UnlabelParameterVersion',
  demands: ({ Name = '' }, context) => onParameters('UnlabelParameterVersion', [Name], context),

  async run(call) {
    const { input, tx } = call
    const { Labels = [], ParameterVersion = 0 } = input
    checkCount(Labels, 'labels', labelsMax)
    const key = ownKey(call, input.Name)
    const versions = await listVersions(tx, key)
    if (versions.length === 0) throw parameterNotFound(key.name)
    const labelled = versions.find(({ version }) => version === ParameterVersion)
    if (!labelled) throw versionNotFound(key.name, ParameterVersion)
    const labels = labelled.labels.filter((label) => !Labels.includes(label))
    await setLabels(tx, { ...labelled, labels })
    return {
      RemovedLabels: Labels.filter((label) => labelled.labels.includes(label)),
      InvalidLabels: Labels.filter((label) => !labelled.labels.includes(label)),
    }
  },
})
