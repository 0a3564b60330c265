/** Every action of the API: a line each, under the folder that has it. */
import { lookupEvents } from './audit/operations/lookup-events.ts'
import { cancelBundleTask } from './bundles/operations/cancel-bundle-task.ts'
import { describeBundleTasks } from './bundles/operations/describe-bundle-tasks.ts'
import { cancelDeclarativePoliciesReport } from './declarative-reports/operations/cancel-declarative-policies-report.ts'
import { describeDeclarativePoliciesReports } from './declarative-reports/operations/describe-declarative-policies-reports.ts'
import { getDeclarativePoliciesReportSummary } from './declarative-reports/operations/get-declarative-policies-report-summary.ts'
import { startDeclarativePoliciesReport } from './declarative-reports/operations/start-declarative-policies-report.ts'
import { completeDirectSnapshot } from './ebs-direct/operations/complete-snapshot.ts'
import { getSnapshotBlock } from './ebs-direct/operations/get-snapshot-block.ts'
import { listChangedBlocks } from './ebs-direct/operations/list-changed-blocks.ts'
import { listSnapshotBlocks } from './ebs-direct/operations/list-snapshot-blocks.ts'
import { putSnapshotBlock } from './ebs-direct/operations/put-snapshot-block.ts'
import { startSnapshot } from './ebs-direct/operations/start-snapshot.ts'
import { describeFastLaunchImages } from './fast-launch/operations/describe-fast-launch-images.ts'
import { disableFastLaunch } from './fast-launch/operations/disable-fast-launch.ts'
import { enableFastLaunch } from './fast-launch/operations/enable-fast-launch.ts'
import { describeFastSnapshotRestores } from './fast-restores/operations/describe-fast-snapshot-restores.ts'
import { disableFastSnapshotRestores } from './fast-restores/operations/disable-fast-snapshot-restores.ts'
import { enableFastSnapshotRestores } from './fast-restores/operations/enable-fast-snapshot-restores.ts'
import { entityTags } from './iam/entity-tags.ts'
import { loginProfiles } from './iam/login-profiles.ts'
import { addRoleToInstanceProfile } from './iam/operations/add-role-to-instance-profile.ts'
import { addUserToGroup } from './iam/operations/add-user-to-group.ts'
import { assumeRole } from './iam/operations/assume-role.ts'
import { createAccessKey } from './iam/operations/create-access-key.ts'
import { createGroup } from './iam/operations/create-group.ts'
import { createInstanceProfile } from './iam/operations/create-instance-profile.ts'
import { createPolicy } from './iam/operations/create-policy.ts'
import { createPolicyVersion } from './iam/operations/create-policy-version.ts'
import { createRole } from './iam/operations/create-role.ts'
import { createUser } from './iam/operations/create-user.ts'
import { decodeAuthorizationMessage } from './iam/operations/decode-authorization-message.ts'
import { deleteAccessKey } from './iam/operations/delete-access-key.ts'
import { deleteGroup } from './iam/operations/delete-group.ts'
import { deleteInstanceProfile } from './iam/operations/delete-instance-profile.ts'
import { deletePolicy } from './iam/operations/delete-policy.ts'
import { deletePolicyVersion } from './iam/operations/delete-policy-version.ts'
import { deleteRole } from './iam/operations/delete-role.ts'
import { deleteUser } from './iam/operations/delete-user.ts'
import { getAccessKeyInfo } from './iam/operations/get-access-key-info.ts'
import { getAccessKeyLastUsed } from './iam/operations/get-access-key-last-used.ts'
import { getAccountSummary } from './iam/operations/get-account-summary.ts'
import { getCallerIdentity } from './iam/operations/get-caller-identity.ts'
import { getGroup } from './iam/operations/get-group.ts'
import { getInstanceProfile } from './iam/operations/get-instance-profile.ts'
import { getPolicy } from './iam/operations/get-policy.ts'
import { getPolicyVersion } from './iam/operations/get-policy-version.ts'
import { getRole } from './iam/operations/get-role.ts'
import { getSessionToken } from './iam/operations/get-session-token.ts'
import { getUser } from './iam/operations/get-user.ts'
import { listAccessKeys } from './iam/operations/list-access-keys.ts'
import { listEntitiesForPolicy } from './iam/operations/list-entities-for-policy.ts'
import { listGroups } from './iam/operations/list-groups.ts'
import { listGroupsForUser } from './iam/operations/list-groups-for-user.ts'
import { listInstanceProfiles } from './iam/operations/list-instance-profiles.ts'
import { listInstanceProfilesForRole } from './iam/operations/list-instance-profiles-for-role.ts'
import { listPolicies } from './iam/operations/list-policies.ts'
import { listPolicyVersions } from './iam/operations/list-policy-versions.ts'
import { listRoles } from './iam/operations/list-roles.ts'
import { listUsers } from './iam/operations/list-users.ts'
import { removeRoleFromInstanceProfile } from './iam/operations/remove-role-from-instance-profile.ts'
import { removeUserFromGroup } from './iam/operations/remove-user-from-group.ts'
import { setDefaultPolicyVersion } from './iam/operations/set-default-policy-version.ts'
import { updateAccessKey } from './iam/operations/update-access-key.ts'
import { updateAssumeRolePolicy } from './iam/operations/update-assume-role-policy.ts'
import { updateGroup } from './iam/operations/update-group.ts'
import { updateRole } from './iam/operations/update-role.ts'
import { updateUser } from './iam/operations/update-user.ts'
import { ownerPolicies } from './iam/owner-policies.ts'
import { simulations } from './iam/simulations.ts'
import { createImageUsageReport } from './image-usage/operations/create-image-usage-report.ts'
import { deleteImageUsageReport } from './image-usage/operations/delete-image-usage-report.ts'
import { describeImageReferences } from './image-usage/operations/describe-image-references.ts'
import { describeImageUsageReportEntries } from './image-usage/operations/describe-image-usage-report-entries.ts'
import { describeImageUsageReports } from './image-usage/operations/describe-image-usage-reports.ts'
import { attachImageWatermark } from './images/operations/attach-image-watermark.ts'
import { cancelImageLaunchPermission } from './images/operations/cancel-image-launch-permission.ts'
import { copyImage } from './images/operations/copy-image.ts'
import { createImage } from './images/operations/create-image.ts'
import { deregisterImage } from './images/operations/deregister-image.ts'
import { describeImageAttribute } from './images/operations/describe-image-attribute.ts'
import { describeImages } from './images/operations/describe-images.ts'
import { describeInstanceImageMetadata } from './images/operations/describe-instance-image-metadata.ts'
import { detachImageWatermark } from './images/operations/detach-image-watermark.ts'
import { disableAllowedImagesSettings } from './images/operations/disable-allowed-images-settings.ts'
import { disableImageBlockPublicAccess } from './images/operations/disable-image-block-public-access.ts'
import { disableImageDeprecation } from './images/operations/disable-image-deprecation.ts'
import { disableImageDeregistrationProtection } from './images/operations/disable-image-deregistration-protection.ts'
import { disableImage } from './images/operations/disable-image.ts'
import { enableAllowedImagesSettings } from './images/operations/enable-allowed-images-settings.ts'
import { enableImageBlockPublicAccess } from './images/operations/enable-image-block-public-access.ts'
import { enableImageDeprecation } from './images/operations/enable-image-deprecation.ts'
import { enableImageDeregistrationProtection } from './images/operations/enable-image-deregistration-protection.ts'
import { enableImage } from './images/operations/enable-image.ts'
import { getAllowedImagesSettings } from './images/operations/get-allowed-images-settings.ts'
import { getImageAncestry } from './images/operations/get-image-ancestry.ts'
import { getImageBlockPublicAccessState } from './images/operations/get-image-block-public-access-state.ts'
import { listImagesInRecycleBin } from './images/operations/list-images-in-recycle-bin.ts'
import { modifyImageAttribute } from './images/operations/modify-image-attribute.ts'
import { registerImage } from './images/operations/register-image.ts'
import { replaceImageCriteriaInAllowedImagesSettings } from './images/operations/replace-image-criteria-in-allowed-images-settings.ts'
import { replaceImageInstanceTypeSpecification } from './images/operations/replace-image-instance-type-specification.ts'
import { resetImageAttribute } from './images/operations/reset-image-attribute.ts'
import { restoreImageFromRecycleBin } from './images/operations/restore-image-from-recycle-bin.ts'
import { cancelImportTask } from './import-tasks/operations/cancel-import-task.ts'
import { describeImportImageTasks } from './import-tasks/operations/describe-import-image-tasks.ts'
import { describeImportSnapshotTasks } from './import-tasks/operations/describe-import-snapshot-tasks.ts'
import { importImage } from './import-tasks/operations/import-image.ts'
import { importSnapshot } from './import-tasks/operations/import-snapshot.ts'
import { associateIamInstanceProfile } from './instance-profiles/operations/associate-iam-instance-profile.ts'
import { describeIamInstanceProfileAssociations } from './instance-profiles/operations/describe-iam-instance-profile-associations.ts'
import { disassociateIamInstanceProfile } from './instance-profiles/operations/disassociate-iam-instance-profile.ts'
import { replaceIamInstanceProfileAssociation } from './instance-profiles/operations/replace-iam-instance-profile-association.ts'
import { describeInstanceAttribute } from './instances/operations/describe-instance-attribute.ts'
import { describeInstanceStatus } from './instances/operations/describe-instance-status.ts'
import { describeInstanceTypeOfferings } from './instances/operations/describe-instance-type-offerings.ts'
import { describeInstanceTypes } from './instances/operations/describe-instance-types.ts'
import { describeInstances } from './instances/operations/describe-instances.ts'
import { getConsoleOutput } from './instances/operations/get-console-output.ts'
import { getConsoleScreenshot } from './instances/operations/get-console-screenshot.ts'
import { getInstanceTpmEkPub } from './instances/operations/get-instance-tpm-ek-pub.ts'
import { getInstanceUefiData } from './instances/operations/get-instance-uefi-data.ts'
import { modifyInstanceAttribute } from './instances/operations/modify-instance-attribute.ts'
import { modifyInstanceMetadataOptions } from './instances/operations/modify-instance-metadata-options.ts'
import { rebootInstances } from './instances/operations/reboot-instances.ts'
import { resetInstanceAttribute } from './instances/operations/reset-instance-attribute.ts'
import { runInstances } from './instances/operations/run-instances.ts'
import { startInstances } from './instances/operations/start-instances.ts'
import { stopInstances } from './instances/operations/stop-instances.ts'
import { terminateInstances } from './instances/operations/terminate-instances.ts'
import { createKeyPair } from './key-pairs/operations/create-key-pair.ts'
import { deleteKeyPair } from './key-pairs/operations/delete-key-pair.ts'
import { describeKeyPairs } from './key-pairs/operations/describe-key-pairs.ts'
import { importKeyPair } from './key-pairs/operations/import-key-pair.ts'
import { cancelKeyDeletion } from './kms/operations/cancel-key-deletion.ts'
import { createAlias } from './kms/operations/create-alias.ts'
import { createKey } from './kms/operations/create-key.ts'
import { decrypt } from './kms/operations/decrypt.ts'
import { deleteAlias } from './kms/operations/delete-alias.ts'
import { describeKey } from './kms/operations/describe-key.ts'
import { disableKey } from './kms/operations/disable-key.ts'
import { enableKey } from './kms/operations/enable-key.ts'
import { encrypt } from './kms/operations/encrypt.ts'
import { generateDataKeyWithoutPlaintext } from './kms/operations/generate-data-key-without-plaintext.ts'
import { generateDataKey } from './kms/operations/generate-data-key.ts'
import { getKeyPolicy } from './kms/operations/get-key-policy.ts'
import { getKeyRotationStatus } from './kms/operations/get-key-rotation-status.ts'
import { listKeyPolicies } from './kms/operations/list-key-policies.ts'
import { listAliases } from './kms/operations/list-aliases.ts'
import { listKeys } from './kms/operations/list-keys.ts'
import { listTagsOfKey } from './kms/operations/list-resource-tags.ts'
import { putKeyPolicy } from './kms/operations/put-key-policy.ts'
import { reEncrypt } from './kms/operations/re-encrypt.ts'
import { scheduleKeyDeletion } from './kms/operations/schedule-key-deletion.ts'
import { tagKey } from './kms/operations/tag-resource.ts'
import { untagKey } from './kms/operations/untag-resource.ts'
import { updateAlias } from './kms/operations/update-alias.ts'
import { updateKeyDescription } from './kms/operations/update-key-description.ts'
import { authorizeSecurityGroupEgress } from './network/operations/authorize-security-group-egress.ts'
import { authorizeSecurityGroupIngress } from './network/operations/authorize-security-group-ingress.ts'
import { createSecurityGroup } from './network/operations/create-security-group.ts'
import { deleteSecurityGroup } from './network/operations/delete-security-group.ts'
import { describeAccountAttributes } from './network/operations/describe-account-attributes.ts'
import { describeAvailabilityZones } from './network/operations/describe-availability-zones.ts'
import { describeNetworkInterfaces } from './network/operations/describe-network-interfaces.ts'
import { describeRegions } from './network/operations/describe-regions.ts'
import { describeSecurityGroupRules } from './network/operations/describe-security-group-rules.ts'
import { describeSecurityGroups } from './network/operations/describe-security-groups.ts'
import { describeSubnets } from './network/operations/describe-subnets.ts'
import { describeVpcs } from './network/operations/describe-vpcs.ts'
import { revokeSecurityGroupEgress } from './network/operations/revoke-security-group-egress.ts'
import { revokeSecurityGroupIngress } from './network/operations/revoke-security-group-ingress.ts'
import { attachPolicy } from './organizations/operations/attach-policy.ts'
import { closeAccount } from './organizations/operations/close-account.ts'
import { createAccount } from './organizations/operations/create-account.ts'
import { createOrganization } from './organizations/operations/create-organization.ts'
import { createOrganizationalUnit } from './organizations/operations/create-organizational-unit.ts'
import { createOrganizationPolicy } from './organizations/operations/create-policy.ts'
import { deleteOrganization } from './organizations/operations/delete-organization.ts'
import { deleteOrganizationalUnit } from './organizations/operations/delete-organizational-unit.ts'
import { deleteOrganizationPolicy } from './organizations/operations/delete-policy.ts'
import { deregisterDelegatedAdministrator } from './organizations/operations/deregister-delegated-administrator.ts'
import { describeAccount } from './organizations/operations/describe-account.ts'
import { describeCreateAccountStatus } from './organizations/operations/describe-create-account-status.ts'
import { describeEffectivePolicy } from './organizations/operations/describe-effective-policy.ts'
import { describeOrganization } from './organizations/operations/describe-organization.ts'
import { describeOrganizationalUnit } from './organizations/operations/describe-organizational-unit.ts'
import { describeOrganizationPolicy } from './organizations/operations/describe-policy.ts'
import { detachPolicy } from './organizations/operations/detach-policy.ts'
import { disableServiceAccess } from './organizations/operations/disable-awsservice-access.ts'
import { disablePolicyType } from './organizations/operations/disable-policy-type.ts'
import { enableServiceAccess } from './organizations/operations/enable-awsservice-access.ts'
import { enablePolicyType } from './organizations/operations/enable-policy-type.ts'
import { leaveOrganization } from './organizations/operations/leave-organization.ts'
import { listAccountsForParent } from './organizations/operations/list-accounts-for-parent.ts'
import { listOrganizationAccounts } from './organizations/operations/list-accounts.ts'
import { listServiceAccess } from './organizations/operations/list-awsservice-access-for-organization.ts'
import { listChildren } from './organizations/operations/list-children.ts'
import { listCreateAccountStatus } from './organizations/operations/list-create-account-status.ts'
import { listDelegatedAdministrators } from './organizations/operations/list-delegated-administrators.ts'
import { listDelegatedServicesForAccount } from './organizations/operations/list-delegated-services-for-account.ts'
import { listOrganizationalUnitsForParent } from './organizations/operations/list-organizational-units-for-parent.ts'
import { listParents } from './organizations/operations/list-parents.ts'
import { listPoliciesForTarget } from './organizations/operations/list-policies-for-target.ts'
import { listOrganizationPolicies } from './organizations/operations/list-policies.ts'
import { listRoots } from './organizations/operations/list-roots.ts'
import { listOrganizationTags } from './organizations/operations/list-tags-for-resource.ts'
import { listTargetsForPolicy } from './organizations/operations/list-targets-for-policy.ts'
import { moveAccount } from './organizations/operations/move-account.ts'
import { registerDelegatedAdministrator } from './organizations/operations/register-delegated-administrator.ts'
import { removeAccountFromOrganization } from './organizations/operations/remove-account-from-organization.ts'
import { tagOrganizationResource } from './organizations/operations/tag-resource.ts'
import { untagOrganizationResource } from './organizations/operations/untag-resource.ts'
import { updateOrganizationalUnit } from './organizations/operations/update-organizational-unit.ts'
import { updateOrganizationPolicy } from './organizations/operations/update-policy.ts'
import { addTagsToParameter } from './parameters/operations/add-tags-to-resource.ts'
import { deleteParameter } from './parameters/operations/delete-parameter.ts'
import { deleteParameters } from './parameters/operations/delete-parameters.ts'
import { describeParameters } from './parameters/operations/describe-parameters.ts'
import { getParameterHistory } from './parameters/operations/get-parameter-history.ts'
import { getParameter } from './parameters/operations/get-parameter.ts'
import { getParametersByPath } from './parameters/operations/get-parameters-by-path.ts'
import { getParameters } from './parameters/operations/get-parameters.ts'
import { labelParameterVersion } from './parameters/operations/label-parameter-version.ts'
import { listTagsForParameter } from './parameters/operations/list-tags-for-resource.ts'
import { putParameter } from './parameters/operations/put-parameter.ts'
import { removeTagsFromParameter } from './parameters/operations/remove-tags-from-resource.ts'
import { unlabelParameterVersion } from './parameters/operations/unlabel-parameter-version.ts'
import { createRule } from './recycle-bin/operations/create-rule.ts'
import { deleteRetentionRule } from './recycle-bin/operations/delete-rule.ts'
import { getRule } from './recycle-bin/operations/get-rule.ts'
import { listRetentionRules } from './recycle-bin/operations/list-rules.ts'
import { listTagsOfRule } from './recycle-bin/operations/list-tags-for-resource.ts'
import { lockRule } from './recycle-bin/operations/lock-rule.ts'
import { tagRule } from './recycle-bin/operations/tag-resource.ts'
import { unlockRule } from './recycle-bin/operations/unlock-rule.ts'
import { untagRule } from './recycle-bin/operations/untag-resource.ts'
import { updateRule } from './recycle-bin/operations/update-rule.ts'
import { getImageFindings } from './scans/operations/get-image-findings.ts'
import { describeSnapshotTierStatus } from './snapshot-tiers/operations/describe-snapshot-tier-status.ts'
import { modifySnapshotTier } from './snapshot-tiers/operations/modify-snapshot-tier.ts'
import { restoreSnapshotTier } from './snapshot-tiers/operations/restore-snapshot-tier.ts'
import { copySnapshot } from './snapshots/operations/copy-snapshot.ts'
import { createSnapshot } from './snapshots/operations/create-snapshot.ts'
import { createSnapshots } from './snapshots/operations/create-snapshots.ts'
import { deleteSnapshot } from './snapshots/operations/delete-snapshot.ts'
import { describeLockedSnapshots } from './snapshots/operations/describe-locked-snapshots.ts'
import { describeSnapshotAttribute } from './snapshots/operations/describe-snapshot-attribute.ts'
import { describeSnapshots } from './snapshots/operations/describe-snapshots.ts'
import { disableSnapshotBlockPublicAccess } from './snapshots/operations/disable-snapshot-block-public-access.ts'
import { enableSnapshotBlockPublicAccess } from './snapshots/operations/enable-snapshot-block-public-access.ts'
import { getSnapshotBlockPublicAccessState } from './snapshots/operations/get-snapshot-block-public-access-state.ts'
import { listSnapshotsInRecycleBin } from './snapshots/operations/list-snapshots-in-recycle-bin.ts'
import { lockSnapshot } from './snapshots/operations/lock-snapshot.ts'
import { modifySnapshotAttribute } from './snapshots/operations/modify-snapshot-attribute.ts'
import { resetSnapshotAttribute } from './snapshots/operations/reset-snapshot-attribute.ts'
import { restoreSnapshotFromRecycleBin } from './snapshots/operations/restore-snapshot-from-recycle-bin.ts'
import { unlockSnapshot } from './snapshots/operations/unlock-snapshot.ts'
import { createRestoreImageTask } from './stored-images/operations/create-restore-image-task.ts'
import { createStoreImageTask } from './stored-images/operations/create-store-image-task.ts'
import { describeStoreImageTasks } from './stored-images/operations/describe-store-image-tasks.ts'
import { createTags } from './tags/operations/create-tags.ts'
import { deleteTags } from './tags/operations/delete-tags.ts'
import { describeTags } from './tags/operations/describe-tags.ts'
import { createReplaceRootVolumeTask } from './root-replacements/operations/create-replace-root-volume-task.ts'
import { describeReplaceRootVolumeTasks } from './root-replacements/operations/describe-replace-root-volume-tasks.ts'
import { describeVolumesModifications } from './volume-modifications/operations/describe-volumes-modifications.ts'
import { modifyVolume } from './volume-modifications/operations/modify-volume.ts'
import { attachVolume } from './volumes/operations/attach-volume.ts'
import { copyVolumes } from './volumes/operations/copy-volumes.ts'
import { createVolume } from './volumes/operations/create-volume.ts'
import { deleteVolume } from './volumes/operations/delete-volume.ts'
import { describeVolumeAttribute } from './volumes/operations/describe-volume-attribute.ts'
import { describeVolumeStatus } from './volumes/operations/describe-volume-status.ts'
import { describeVolumes } from './volumes/operations/describe-volumes.ts'
import { detachVolume } from './volumes/operations/detach-volume.ts'
import { disableEbsEncryptionByDefault } from './volumes/operations/disable-ebs-encryption-by-default.ts'
import { enableEbsEncryptionByDefault } from './volumes/operations/enable-ebs-encryption-by-default.ts'
import { enableVolumeIO } from './volumes/operations/enable-volume-io.ts'
import { getEbsDefaultKmsKeyId } from './volumes/operations/get-ebs-default-kms-key-id.ts'
import { getEbsEncryptionByDefault } from './volumes/operations/get-ebs-encryption-by-default.ts'
import { listVolumesInRecycleBin } from './volumes/operations/list-volumes-in-recycle-bin.ts'
import { modifyEbsDefaultKmsKeyId } from './volumes/operations/modify-ebs-default-kms-key-id.ts'
import { modifyVolumeAttribute } from './volumes/operations/modify-volume-attribute.ts'
import { resetEbsDefaultKmsKeyId } from './volumes/operations/reset-ebs-default-kms-key-id.ts'
import { restoreVolumeFromRecycleBin } from './volumes/operations/restore-volume-from-recycle-bin.ts'
import type { Operation } from './wire/operation.ts'

const all: readonly Operation[] = [
  // bundles/
  cancelBundleTask,
  describeBundleTasks,
  // declarative-reports/
  cancelDeclarativePoliciesReport,
  describeDeclarativePoliciesReports,
  getDeclarativePoliciesReportSummary,
  startDeclarativePoliciesReport,
  // ebs-direct/
  completeDirectSnapshot,
  getSnapshotBlock,
  listChangedBlocks,
  listSnapshotBlocks,
  putSnapshotBlock,
  startSnapshot,
  // fast-launch/
  describeFastLaunchImages,
  disableFastLaunch,
  enableFastLaunch,
  // fast-restores/
  describeFastSnapshotRestores,
  disableFastSnapshotRestores,
  enableFastSnapshotRestores,
  // iam/
  addRoleToInstanceProfile,
  addUserToGroup,
  assumeRole,
  createAccessKey,
  createGroup,
  createInstanceProfile,
  createPolicy,
  createPolicyVersion,
  createRole,
  createUser,
  decodeAuthorizationMessage,
  deleteAccessKey,
  deleteGroup,
  deleteInstanceProfile,
  deletePolicy,
  deletePolicyVersion,
  deleteRole,
  deleteUser,
  getAccessKeyInfo,
  getAccessKeyLastUsed,
  getAccountSummary,
  getCallerIdentity,
  getGroup,
  getInstanceProfile,
  getPolicy,
  getPolicyVersion,
  getRole,
  getSessionToken,
  getUser,
  listAccessKeys,
  listGroups,
  listGroupsForUser,
  listInstanceProfiles,
  listInstanceProfilesForRole,
  listPolicies,
  listPolicyVersions,
  listRoles,
  listUsers,
  removeRoleFromInstanceProfile,
  removeUserFromGroup,
  setDefaultPolicyVersion,
  updateAccessKey,
  updateAssumeRolePolicy,
  updateGroup,
  updateRole,
  updateUser,
  // Three calls about the tags of each kind.
  ...entityTags('policy'),
  ...entityTags('profile'),
  ...entityTags('role'),
  ...entityTags('user'),
  ...loginProfiles,
  ...simulations,
  listEntitiesForPolicy,
  // Seven calls about the policies of each kind of owner, and two about its boundary.
  ...ownerPolicies('group'),
  ...ownerPolicies('role'),
  ...ownerPolicies('user'),
  // image-usage/
  createImageUsageReport,
  deleteImageUsageReport,
  describeImageReferences,
  describeImageUsageReportEntries,
  describeImageUsageReports,
  // images/
  attachImageWatermark,
  cancelImageLaunchPermission,
  copyImage,
  createImage,
  deregisterImage,
  describeImageAttribute,
  describeImages,
  describeInstanceImageMetadata,
  detachImageWatermark,
  disableAllowedImagesSettings,
  disableImageBlockPublicAccess,
  disableImageDeprecation,
  disableImageDeregistrationProtection,
  disableImage,
  enableAllowedImagesSettings,
  enableImageBlockPublicAccess,
  enableImageDeprecation,
  enableImageDeregistrationProtection,
  enableImage,
  getAllowedImagesSettings,
  getImageAncestry,
  getImageBlockPublicAccessState,
  listImagesInRecycleBin,
  modifyImageAttribute,
  registerImage,
  replaceImageCriteriaInAllowedImagesSettings,
  replaceImageInstanceTypeSpecification,
  resetImageAttribute,
  restoreImageFromRecycleBin,
  // import-tasks/
  cancelImportTask,
  describeImportImageTasks,
  describeImportSnapshotTasks,
  importImage,
  importSnapshot,
  // instance-profiles/
  associateIamInstanceProfile,
  describeIamInstanceProfileAssociations,
  disassociateIamInstanceProfile,
  replaceIamInstanceProfileAssociation,
  // instances/
  describeInstanceAttribute,
  describeInstanceStatus,
  describeInstanceTypeOfferings,
  describeInstanceTypes,
  describeInstances,
  getConsoleOutput,
  getConsoleScreenshot,
  getInstanceTpmEkPub,
  getInstanceUefiData,
  modifyInstanceAttribute,
  modifyInstanceMetadataOptions,
  rebootInstances,
  resetInstanceAttribute,
  runInstances,
  startInstances,
  stopInstances,
  terminateInstances,
  // key-pairs/
  createKeyPair,
  deleteKeyPair,
  describeKeyPairs,
  importKeyPair,
  // kms/
  cancelKeyDeletion,
  createAlias,
  createKey,
  decrypt,
  deleteAlias,
  describeKey,
  disableKey,
  enableKey,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  getKeyPolicy,
  getKeyRotationStatus,
  listKeyPolicies,
  listAliases,
  listKeys,
  listTagsOfKey,
  putKeyPolicy,
  reEncrypt,
  scheduleKeyDeletion,
  tagKey,
  untagKey,
  updateAlias,
  updateKeyDescription,
  // network/
  authorizeSecurityGroupEgress,
  authorizeSecurityGroupIngress,
  createSecurityGroup,
  deleteSecurityGroup,
  describeAccountAttributes,
  describeAvailabilityZones,
  describeNetworkInterfaces,
  describeRegions,
  describeSecurityGroupRules,
  describeSecurityGroups,
  describeSubnets,
  describeVpcs,
  revokeSecurityGroupEgress,
  revokeSecurityGroupIngress,
  // organizations/
  attachPolicy,
  closeAccount,
  createAccount,
  createOrganization,
  createOrganizationalUnit,
  createOrganizationPolicy,
  deleteOrganization,
  deleteOrganizationalUnit,
  deleteOrganizationPolicy,
  deregisterDelegatedAdministrator,
  describeAccount,
  describeCreateAccountStatus,
  describeEffectivePolicy,
  describeOrganization,
  describeOrganizationalUnit,
  describeOrganizationPolicy,
  detachPolicy,
  disableServiceAccess,
  disablePolicyType,
  enableServiceAccess,
  enablePolicyType,
  leaveOrganization,
  listAccountsForParent,
  listOrganizationAccounts,
  listServiceAccess,
  listChildren,
  listCreateAccountStatus,
  listDelegatedAdministrators,
  listDelegatedServicesForAccount,
  listOrganizationalUnitsForParent,
  listParents,
  listPoliciesForTarget,
  listOrganizationPolicies,
  listRoots,
  listOrganizationTags,
  listTargetsForPolicy,
  moveAccount,
  registerDelegatedAdministrator,
  removeAccountFromOrganization,
  tagOrganizationResource,
  untagOrganizationResource,
  updateOrganizationalUnit,
  updateOrganizationPolicy,
  // parameters/
  addTagsToParameter,
  deleteParameter,
  deleteParameters,
  describeParameters,
  getParameterHistory,
  getParameter,
  getParametersByPath,
  getParameters,
  labelParameterVersion,
  listTagsForParameter,
  putParameter,
  removeTagsFromParameter,
  unlabelParameterVersion,
  // recycle-bin/
  createRule,
  deleteRetentionRule,
  getRule,
  listRetentionRules,
  listTagsOfRule,
  lockRule,
  tagRule,
  unlockRule,
  untagRule,
  updateRule,
  // scans/
  getImageFindings,
  // snapshot-tiers/
  describeSnapshotTierStatus,
  modifySnapshotTier,
  restoreSnapshotTier,
  // snapshots/
  copySnapshot,
  createSnapshot,
  createSnapshots,
  deleteSnapshot,
  describeLockedSnapshots,
  describeSnapshotAttribute,
  describeSnapshots,
  disableSnapshotBlockPublicAccess,
  enableSnapshotBlockPublicAccess,
  getSnapshotBlockPublicAccessState,
  listSnapshotsInRecycleBin,
  lockSnapshot,
  modifySnapshotAttribute,
  resetSnapshotAttribute,
  restoreSnapshotFromRecycleBin,
  unlockSnapshot,
  // stored-images/
  createRestoreImageTask,
  createStoreImageTask,
  describeStoreImageTasks,
  // tags/
  createTags,
  deleteTags,
  describeTags,
  // root-replacements/
  createReplaceRootVolumeTask,
  describeReplaceRootVolumeTasks,

  // volume-modifications/
  describeVolumesModifications,
  modifyVolume,

  // volumes/
  attachVolume,
  copyVolumes,
  createVolume,
  deleteVolume,
  describeVolumeAttribute,
  describeVolumeStatus,
  describeVolumes,
  detachVolume,
  disableEbsEncryptionByDefault,
  enableEbsEncryptionByDefault,
  enableVolumeIO,
  getEbsDefaultKmsKeyId,
  getEbsEncryptionByDefault,
  listVolumesInRecycleBin,
  modifyEbsDefaultKmsKeyId,
  modifyVolumeAttribute,
  resetEbsDefaultKmsKeyId,
  restoreVolumeFromRecycleBin,
  lookupEvents,
]

/** By service and action: `ec2:RunInstances`. */
export const actions: ReadonlyMap<string, Operation> = new Map(
  all.map((operation) => [`${operation.service ?? 'ec2'}:${operation.action}`, operation]),
)
