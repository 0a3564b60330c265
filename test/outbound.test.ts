/** What the service can be made to read and to call by those who may ask it to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeImportSnapshotTasksCommand, ImportSnapshotCommand } from '@aws-sdk/client-ec2'
import { callImago } from '../src/cli/imago-client.ts'
import { Secret } from '../src/lib/secret.ts'
import { type ClientSettings, region, startSystem } from './system.ts'

const accessOf = ({ endpoint, credentials }: ClientSettings) => ({
  endpoint,
  region,
  key: { id: credentials.accessKeyId, secret: new Secret(credentials.secretAccessKey) },
})

test('no account but that of the installation has files of the host imported', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const theirs = accessOf(await system.settingsOf('222222222222'))
  const body = { source: `${system.dataFolder}/master-key`, name: 'a-key' }
  const path = '/imago/v1/imports'
  await assert.rejects(callImago(theirs, 'POST', path, body), /UnauthorizedOperation/)
  const made = await callImago(accessOf(system.settingsWith()), 'POST', path, body)
  assert.equal(made['state'], 'active')
})

test('an import of what is not public is refused by name', async (context) => {
  const system = await startSystem(context)
  const Url = 'http://169.254.169.254/latest/meta-data/iam/security-credentials/'
  const ours = accessOf(system.settingsWith())
  const body = { source: Url, name: 'a-secret' }
  await assert.rejects(callImago(ours, 'POST', '/imago/v1/imports', body), /IMAGO_OUTBOUND_HOSTS/)
  const { ImportTaskId = '' } = await system.ec2.send(
    new ImportSnapshotCommand({ DiskContainer: { Url } }),
  )
  const ended = await system.until('the refusal', async () => {
    const { ImportSnapshotTasks } = await system.ec2.send(
      new DescribeImportSnapshotTasksCommand({ ImportTaskIds: [ImportTaskId] }),
    )
    const detail = ImportSnapshotTasks?.[0]?.SnapshotTaskDetail
    return detail?.Status === 'active' ? undefined : detail
  })
  assert.match(ended.StatusMessage ?? '', /Cannot call 169\.254\.169\.254.*IMAGO_OUTBOUND_HOSTS/)
})
