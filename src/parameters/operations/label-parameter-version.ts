/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html */
import type { LabelParameterVersionRequest, LabelParameterVersionResult } from '@aws-sdk/client-ssm'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { checkCount, isLabel, labelsMax, parameterNotFound, versionNotFound } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { listVersions, setLabels } from '../store.ts'

export const labelParameterVersion = writeOperation<
  LabelParameterVersionRequest,
  LabelParameterVersionResult
>({
  service: 'ssm',
  action: 'LabelParameterVersion',
  demands: ({ Name = '' }, context) => onParameters('LabelParameterVersion', [Name], context),

  async run(call) {
    const { input, tx } = call
    const { Labels = [], ParameterVersion } = input
    checkCount(Labels, 'labels', labelsMax)
    const key = ownKey(call, input.Name)
    const versions = await listVersions(tx, key)
    const latest = versions.at(-1)
    if (!latest) throw parameterNotFound(key.name)
    const wanted = ParameterVersion ?? latest.version
    const labelled = versions.find(({ version }) => version === wanted)
    if (!labelled) throw versionNotFound(key.name, wanted)

    const InvalidLabels = Labels.filter((label) => !isLabel(label))
    // One label that cannot be put keeps the others off too.
    if (InvalidLabels.length > 0) return { InvalidLabels, ParameterVersion: wanted }
    const labels = [...new Set([...labelled.labels, ...Labels])]
    if (labels.length > labelsMax) {
      throw new ApiError(
        'ParameterVersionLabelLimitExceeded',
        `A parameter version can have maximum ${labelsMax} labels. Move one or more labels to ` +
          'another version and try again.',
      )
    }
    for (const other of versions) {
      const kept = other.labels.filter((label) => !Labels.includes(label))
      if (other !== labelled && kept.length < other.labels.length) {
        await setLabels(tx, { ...other, labels: kept })
      }
    }
    await setLabels(tx, { ...labelled, labels })
    return { InvalidLabels: [], ParameterVersion: wanted }
  },
})
