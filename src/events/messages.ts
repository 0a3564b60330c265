/**
 * What accounts are told of a change of state, in AWS's own shapes.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html (of snapshots in `snapshot-messages.ts`)
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/win-fast-launch-monitor.html
 */
import { troubleOf } from '../kms/key-trouble.ts'
import type { Message } from './event.ts'
import { ofFastRestore, ofPublicAccess, ofShare, ofSnapshot, ofTier } from './snapshot-messages.ts'
import { type ChangeKind, type StateChange, textOf } from './state-change.ts'
import { attachedResult, recycledImageState, tellsSharees } from './unknowns.ts'

/** The messages of one change: one for each account that it concerns, the owner's first. */
export function messagesOf(change: StateChange, requestId: string): readonly Message[] {
  return tell[change.kind](change, requestId)
}

/** The calls that lead to a state: the last of them is the request that an event is of. */
export function actionsBehind({ kind, state, facts }: StateChange): readonly string[] {
  if (kind === 'image') {
    if (state === 'disabled') return ['DisableImage']
    if (state === 'deregistered' || state === 'recycled') return ['DeregisterImage']
    return imageMakers
  }
  if (kind === 'volume') return state === 'deleted' ? ['DeleteVolume'] : volumeMakers
  if (kind === 'modification') return ['ModifyVolume']
  if (kind === 'attachment') return ['AttachVolume']
  // What comes of itself is of no request.
  if (kind === 'tier' && facts['wasThere'] !== 1)
    return facts['operation'] === 'archival' ? ['ModifySnapshotTier'] : ['RestoreSnapshotTier']
  return []
}

const imageMakers = [
  'CopyImage',
  'CreateImage',
  'CreateRestoreImageTask',
  'EnableImage',
  'RegisterImage',
  'RestoreImageFromRecycleBin',
]
const volumeMakers = ['CreateVolume', 'CopyVolumes', 'RunInstances']

type Tell = (change: StateChange, requestId: string) => readonly Message[]

const tell: Readonly<Record<ChangeKind, Tell>> = {
  image(change, requestId) {
    const { resourceId: id, accountId, region, facts } = change
    const state = change.state === 'recycled' ? recycledImageState : change.state
    const sharees = tellsSharees ? textOf(facts['sharedWith']).split(',') : []
    const accounts = new Set([accountId, ...sharees.filter((account) => account !== '')])
    return [...accounts].map((each) => ({
      accountId: each,
      detailType: 'EC2 AMI State Change',
      resources: [`arn:aws:ec2:${region}::image/${id}`],
      detail: {
        RequestId: requestId,
        ImageId: id,
        State: state,
        ErrorMessage: state === 'failed' ? textOf(facts['message']) : '',
      },
    }))
  },
  snapshot: (change) => [ofSnapshot(change)],
  share: (change) => [ofShare(change)],
  tier: (change, requestId) => [ofTier(change, requestId)],
  'fast-restore': (change) => [ofFastRestore(change)],
  'public-access': (change) => [ofPublicAccess(change)],
  volume(change, requestId) {
    const { state, facts } = change
    if (state === 'deleted') return [ofVolume(change, 'deleteVolume', 'deleted', requestId)]
    const cause = state === 'failed' ? troubleOf(textOf(facts['message'])) : ''
    const result = state === 'failed' ? 'failed' : 'available'
    return [ofVolume(change, 'createVolume', result, requestId, cause)]
  },
  attachment(change, requestId) {
    const { accountId, region, state, facts } = change
    if (state === 'failed') {
      const cause = troubleOf(textOf(facts['message']))
      const told = ofVolume(change, 'attachVolume', 'failed', requestId, cause)
      const key = textOf(facts['kmsKeyArn'])
      return [{ ...told, resources: [...told.resources, ...(key === '' ? [] : [key])] }]
    }
    const told = ofVolume(change, 'attachVolume', attachedResult, requestId)
    const instance = `arn:aws:ec2:${region}:${accountId}:instance/${textOf(facts['instanceId'])}`
    return [{ ...told, resources: [...told.resources, instance] }]
  },
  modification(change, requestId) {
    const { state, facts } = change
    const cause = state === 'failed' ? textOf(facts['message']) : ''
    return [ofVolume(change, 'modifyVolume', state, requestId, cause)]
  },
  instance({ resourceId: id, accountId, region, state }) {
    return [
      {
        accountId,
        detailType: 'EC2 Instance State-change Notification',
        resources: [`arn:aws:ec2:${region}:${accountId}:instance/${id}`],
        detail: { 'instance-id': id, state },
      },
    ]
  },
  'fast-launch'({ resourceId: imageId, accountId, region, state, facts }) {
    return [
      {
        accountId,
        detailType: 'EC2 Fast Launch State-change Notification',
        resources: [`arn:aws:ec2:${region}:${accountId}:image/${imageId}`],
        detail: {
          imageId,
          resourceType: 'snapshot',
          state,
          stateTransitionReason: textOf(facts['reason']),
        },
      },
    ]
  },
}

function ofVolume(
  { accountId, region, resourceId }: StateChange,
  event: string,
  result: string,
  requestId: string,
  cause = '',
): Message {
  return {
    accountId,
    detailType: 'EBS Volume Notification',
    resources: [`arn:aws:ec2:${region}:${accountId}:volume/${resourceId}`],
    detail: { result, cause, event, 'request-id': requestId },
  }
}
