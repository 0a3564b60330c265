/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html */
import type {
  GetParametersByPathRequest,
  GetParametersByPathResult,
  ParameterStringFilter,
} from '@aws-sdk/client-ssm'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { checkFilters, checkPath, isBelow, matchesFilters } from '../filters.ts'
import { hereOf } from '../own.ts'
import { type ParameterVersion, readCount } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { listPublicParameters } from '../public.ts'
import { revealVersion } from '../secure.ts'
import { type Listed, listParameters } from '../store.ts'
import { viewParameter } from '../view.ts'

const resultsMax = 10

export const getParametersByPath = readOperation<
  GetParametersByPathRequest,
  GetParametersByPathResult
>({
  service: 'ssm',
  action: 'GetParametersByPath',
  demands: (input, context) =>
    onParameters('GetParametersByPath', [input.Path ?? ''], context, input),

  async run(call) {
    const { Path = '', Recursive = false, ParameterFilters, NextToken } = call.input
    checkPath(Path)
    checkFilters(ParameterFilters, 'by path')
    const MaxResults = readCount(call.input.MaxResults, resultsMax)
    const here = hereOf(call)
    const label = ParameterFilters?.find(({ Key }) => Key === 'Label')
    const others = ParameterFilters?.filter(({ Key }) => Key !== 'Label')
    const listed = /^\/aws(?:\/|$)/i.test(Path)
      ? (await listPublicParameters(call.db, call.region)).map(alone)
      : await listParameters(call.db, {
          ...here,
          prefix: Path === '/' ? '' : Path,
          hasAllVersions: label !== undefined,
        })
    const found = listed
      .filter(({ latest }) => isBelow(latest.name, Path, Recursive))
      .filter((each) => matchesFilters(each, others))
      .flatMap(({ versions, latest }) => (label ? labelled(versions, label) : [latest]))
    const { items, ...next } = page(
      found,
      { MaxResults, NextToken },
      ({ name, version }) => `${name}:${String(version).padStart(9, '0')}`,
      { min: 1, max: resultsMax },
    )
    const Parameters = []
    for (const each of items) {
      const shown = await revealVersion(call.db, call, each, call.input.WithDecryption)
      Parameters.push(viewParameter(shown))
    }
    return { Parameters, ...next }
  },
})

const alone = (latest: ParameterVersion): Listed => ({ versions: [latest], latest, tags: [] })

function labelled(
  versions: readonly ParameterVersion[],
  { Values = [], Option }: ParameterStringFilter,
): readonly ParameterVersion[] {
  const isMatch = (label: string) =>
    Values.some((value) => (Option === 'BeginsWith' ? label.startsWith(value) : label === value))
  return versions.filter(({ labels }) => labels.some(isMatch))
}
