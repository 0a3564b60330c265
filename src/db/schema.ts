/** The tables, as the queries see them. `migrations.ts` beside this file makes them. */
import type { Generated } from 'kysely'
import type { Id } from '../lib/ids.ts'

/** A truth value as both databases store it. */
export type Flag = 0 | 1

interface Owned {
  account_id: string
  region: string
}

export interface Tables {
  settings: { name: string; value: string }
  accounts: { id: string; name: string; alias: string | null; created_at_ms: number }
  access_keys: {
    id: string
    account_id: string
    secret: string
    user_arn: string
    user_id: string
    policies: string
    is_active: Flag
    created_at_ms: number
  }
  audit_events: {
    sequence: number
    request_id: string
    account_id: string | null
    user_arn: string | null
    region: string | null
    action: string
    outcome: string
    at_ms: number
    /** These are missing from what was recorded before there were trails. */
    position: number | null
    event_id: string | null
    event_source: string | null
    user_name: string | null
    access_key_id: string | null
    is_read_only: 0 | 1 | null
    /** CloudTrail's JSON. */
    record: string | null
    hash: string | null
  }
  audit_resources: { sequence: number; type: string; name: string }
  audit_trails: {
    account_id: string
    position: number
    hash: string
    first_position: number
    first_hash: string
  }
  client_tokens: Owned & {
    action: string
    token: string
    parameters_digest: string
    answer: string
    created_at_ms: number
  }
  tags: Owned & { resource_id: string; resource_type: string; key: string; value: string }

  vpcs: Owned & { id: Id<'vpc'>; cidr: string; is_default: Flag; created_at_ms: number }
  subnets: Owned & {
    id: Id<'subnet'>
    vpc_id: Id<'vpc'>
    availability_zone: string
    cidr: string
    is_default: Flag
    maps_public_ip: Flag
  }
  security_groups: Owned & {
    id: Id<'security-group'>
    vpc_id: Id<'vpc'>
    name: string
    description: string
  }
  security_group_rules: Owned & {
    id: Id<'security-group-rule'>
    group_id: Id<'security-group'>
    is_egress: Flag
    /** `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for all of them. */
    protocol: string
    /** A port, an ICMP type, or -1 for all. */
    from_port: number
    to_port: number
    cidr_ipv4: string | null
    cidr_ipv6: string | null
    peer_group_id: Id<'security-group'> | null
    description: string | null
  }
  network_interfaces: Owned & {
    id: Id<'network-interface'>
    vpc_id: Id<'vpc'>
    subnet_id: Id<'subnet'>
    availability_zone: string
    mac: string
    private_ip: string
    /** A loopback alias of the host, 127.x.y.z. */
    public_ip: string | null
    /** It is given a public address by each start. */
    assigns_public_ip: Flag
    description: string
    instance_id: Id<'instance'> | null
    attachment_id: Id<'network-interface-attachment'> | null
    device_index: number
    delete_on_termination: Flag
    attached_at_ms: number | null
    created_at_ms: number
  }
  network_interface_groups: {
    interface_id: Id<'network-interface'>
    group_id: Id<'security-group'>
    position: number
  }
  key_pairs: Owned & {
    id: Id<'key-pair'>
    name: string
    type: 'rsa' | 'ed25519'
    fingerprint: string
    /** One line as `authorized_keys` has it. */
    public_key: string
    created_at_ms: number
  }

  instances: Owned & {
    id: Id<'instance'>
    reservation_id: Id<'reservation'>
    launch_index: number
    client_token: string | null
    image_id: Id<'image'>
    instance_type: string
    architecture: string
    state: 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'
    state_reason_code: string | null
    state_reason_message: string | null
    state_transition_reason: string
    /** A stop that was asked for with `Force`: the power is cut. */
    is_stop_forced: Flag
    /** When the state that is now was entered. */
    state_since_ms: number
    reboots_wanted: number
    reboots_done: number
    key_name: string | null
    vpc_id: Id<'vpc'>
    subnet_id: Id<'subnet'>
    availability_zone: string
    launched_at_ms: number
    boot_mode: 'legacy-bios' | 'uefi' | 'uefi-preferred' | null
    current_boot_mode: 'legacy-bios' | 'uefi'
    tpm_support: Generated<'v2.0' | null>
    ena_support: Generated<Flag>
    root_device_name: string
    root_device_type: 'ebs' | 'instance-store'
    platform: 'windows' | null
    platform_details: string
    usage_operation: string
    /** Base64, as it came. */
    user_data: string | null
    is_termination_disabled: Flag
    is_stop_disabled: Flag
    shutdown_behavior: 'stop' | 'terminate'
    /** JSON of `MetadataOptions` in `instances/instance.ts`. */
    metadata_options: string
    is_ebs_optimized: Flag
    is_monitored: Flag
    has_source_dest_check: Flag
  }

  volumes: Owned & {
    id: Id<'volume'>
    availability_zone: string
    size_gib: number
    type: string
    iops: number | null
    throughput: number | null
    snapshot_id: Id<'snapshot'> | null
    state: 'creating' | 'available' | 'in-use' | 'deleting' | 'error'
    /** Why it could not be made. */
    state_message: string | null
    created_at_ms: number
    /** The disk that its first layer lies over; none for a blank volume. */
    base_manifest: string | null
    /** What the layers up to `known_layer` hold, as a manifest. Layer 0 is the base. */
    known_layer: number
    known_manifest: string | null
    known_snapshot_id: Id<'snapshot'> | null
    /** Since when it is in the Recycle Bin, and until when. */
    recycled_at_ms: Generated<number | null>
    recycle_exit_at_ms: Generated<number | null>
    /** In MiB/s, where the caller said how fast it should be filled. */
    initialization_rate: Generated<number | null>
    /** The volume that it is a copy of. */
    source_volume_id: Generated<Id<'volume'> | null>
    auto_enable_io: Generated<Flag>
    /** Whether fast restores of its snapshot were enabled when it was made. */
    is_fast_restored: Generated<Flag>
    /** The ARN of the key that it is encrypted with, and of the one that its base is: NULL is plain. */
    kms_key_id: Generated<string | null>
    base_kms_key_id: Generated<string | null>
  }
  /** How volumes were changed. The last change of one may be under way. */
  volume_modifications: Owned & {
    volume_id: Id<'volume'>
    number: number
    state: 'modifying' | 'optimizing' | 'completed' | 'failed'
    message: string | null
    original_size_gib: number
    original_type: string
    original_iops: number | null
    original_throughput: number | null
    target_size_gib: number
    target_type: string
    target_iops: number | null
    target_throughput: number | null
    started_at_ms: number
    ended_at_ms: number | null
  }
  replace_root_volume_tasks: Owned & {
    id: Id<'replace-root-volume-task'>
    instance_id: Id<'instance'>
    state: 'pending' | 'in-progress' | 'failing' | 'succeeded' | 'failed' | 'failed-detached'
    message: string | null
    image_id: Id<'image'> | null
    snapshot_id: Id<'snapshot'> | null
    old_volume_id: Id<'volume'>
    new_volume_id: Id<'volume'>
    is_volume_given: Flag
    deletes_replaced: Flag
    is_swapped: Flag
    started_at_ms: number
    begun_at_ms: number | null
    ended_at_ms: number | null
  }
  volume_attachments: {
    volume_id: Id<'volume'>
    instance_id: Id<'instance'>
    device: string
    state: 'attaching' | 'attached' | 'detaching'
    is_detach_forced: Flag
    delete_on_termination: Flag
    attached_at_ms: number
    /** Why it was given up, where it was. */
    failure: Generated<string | null>
  }

  /** A point in time that one call takes of one or several volumes at once. */
  freezes: {
    id: string
    instance_id: Id<'instance'> | null
    /** The machine is shut down first and started again after. */
    with_reboot: Flag
    state: 'wanted' | 'done'
    wanted_at_ms: number
  }
  snapshots: Owned & {
    id: Id<'snapshot'>
    volume_id: Id<'volume'>
    volume_size_gib: number
    description: string
    state: 'pending' | 'completed' | 'error'
    state_message: string | null
    started_at_ms: number
    completed_at_ms: number | null
    progress_percent: number
    freeze_id: string | null
    /** The volume's layer that the freeze made final; known when the freeze has begun. */
    layer: number | null
    /** The digest that names the whole disk. */
    manifest: string | null
    /** The snapshot of the same volume before this one. */
    parent_snapshot_id: Id<'snapshot'> | null
    /** Bytes of the blocks in use, and of those that this snapshot brought in. */
    full_size_bytes: number | null
    added_bytes: number | null
    /** Since when it is in the Recycle Bin, and until when. */
    recycled_at_ms: Generated<number | null>
    recycle_exit_at_ms: Generated<number | null>
    storage_tier: Generated<'standard' | 'archive'>
    /** The ARN of the key that it is encrypted with; NULL is plain. */
    kms_key_id: Generated<string | null>
    restore_expires_at_ms: Generated<number | null>
    /** The copy of the volume that it is taken for: then nobody sees it. */
    copy_volume_id: Generated<Id<'volume'> | null>
  }
  snapshot_permissions: {
    snapshot_id: Id<'snapshot'>
    /** An account's number, or `all`. */
    grantee: string
  }

  snapshot_locks: {
    snapshot_id: Id<'snapshot'>
    mode: 'governance' | 'compliance'
    cool_off_hours: number | null
    created_at_ms: number
    changed_at_ms: number
    /** It holds for so many days, or until a moment. */
    duration_days: number | null
    until_ms: number | null
  }
  /** What was asked last of the tier of a snapshot. */
  snapshot_tiers: {
    snapshot_id: Id<'snapshot'>
    operation: 'archival' | 'temporary-restore' | 'permanent-restore'
    progress: 'in-progress' | 'completed' | 'failed'
    detail: string
    started_at_ms: number
    archived_at_ms: number | null
    restore_days: number | null
  }
  fast_launch_images: Owned & {
    image_id: Id<'image'>
    state:
      | 'enabling'
      | 'enabling-failed'
      | 'enabled'
      | 'enabled-failed'
      | 'disabling'
      | 'disabling-failed'
    state_since_ms: number
    reason: string
    target_count: number
    parallel_max: number
    is_forced: Flag
  }
  fast_launch_reserves: {
    instance_id: Id<'instance'>
    image_id: Id<'image'>
    account_id: string
    state: 'preparing' | 'capturing' | 'ready'
    snapshot_id: Id<'snapshot'> | null
    begun_at_ms: number
  }
  fast_restores: Owned & {
    snapshot_id: Id<'snapshot'>
    zone: string
    state: 'enabling' | 'optimizing' | 'enabled' | 'disabling' | 'disabled'
    /** JSON of `FastRestoreTimes` in `fast-restores/fast-restore.ts`. */
    times: string
    /** Why it is in its state; NULL where the state says it. */
    reason: Generated<string | null>
  }
  snapshot_settings: Owned & {
    public_access: 'block-all-sharing' | 'block-new-sharing' | 'unblocked'
  }

  /** Snapshots that are written block by block. A row stays as long as its snapshot. */
  direct_snapshots: {
    snapshot_id: Id<'snapshot'>
    state: 'open' | 'sealing' | 'done'
    parent_snapshot_id: Id<'snapshot'> | null
    /** What it begins with, until it is done. */
    parent_manifest: string | null
    timeout_minutes: number
    /** When it was started, or the last block came. */
    touched_at_ms: number
    changed_blocks_count: number | null
  }
  /** The blocks of those that are not done. */
  direct_blocks: {
    snapshot_id: Id<'snapshot'>
    block_index: number
    digest: string
    added_bytes: number
  }

  /** Which snapshots are copies of which, and of what disk. */
  snapshot_copies: Owned & {
    snapshot_id: Id<'snapshot'>
    source_snapshot_id: Id<'snapshot'>
    source_region: string
    manifest: string
    full_size_bytes: number
    completion_minutes: number | null
    /** The ARN of the key of what it copies; NULL is plain. */
    source_kms_key_id: Generated<string | null>
    is_done: Flag
  }

  images: Owned & {
    id: Id<'image'>
    name: string
    description: string | null
    location: string
    state: 'pending' | 'available' | 'failed' | 'disabled' | 'recycled' | 'deregistered'
    state_reason_code: string | null
    state_reason_message: string | null
    created_at_ms: number
    deregistered_at_ms: number | null
    architecture: string
    boot_mode: 'legacy-bios' | 'uefi' | 'uefi-preferred' | null
    root_device_name: string
    root_device_type: 'ebs' | 'instance-store'
    virtualization_type: string
    platform: 'windows' | null
    platform_details: string
    usage_operation: string
    ena_support: Flag
    sriov_net_support: string | null
    imds_support: string | null
    tpm_support: string | null
    is_public: Flag
    source_instance_id: Id<'instance'> | null
    source_image_id: Id<'image'> | null
    source_image_region: string | null
    last_launched_at_ms: number | null
    /** JSON of `BlockDevice[]` in `images/image.ts`. */
    block_devices: string
    deprecates_at_ms: Generated<number | null>
    protection: Generated<'disabled' | 'enabled-without-cooldown' | 'enabled-with-cooldown'>
    /** Until when it stays protected after its protection was taken away. */
    protected_until_ms: Generated<number | null>
    recycled_at_ms: Generated<number | null>
    recycle_exit_at_ms: Generated<number | null>
    /** JSON of `InstanceTypes` in `images/instance-types.ts`. */
    instance_types: Generated<string | null>
  }
  /** Which image has which snapshot: the same facts as in `block_devices`, to be found from the other side. */
  image_snapshots: { image_id: Id<'image'>; snapshot_id: Id<'snapshot'> }
  /** The variables of UEFI that its machines begin with: `UefiData`, where an image has some. */
  image_uefi_data: { image_id: Id<'image'>; data: string }
  advisories: {
    /** `Debian:12` */
    ecosystem: string
    package_name: string
    id: string
    /** JSON of `Advisory` in `advisories/advisory.ts`. */
    detail: string
    modified_at_ms: number
  }
  /** What is on the disks that images boot from. */
  disk_scans: {
    disk: string
    kms_key_id: string | null
    /** The number of the feed of advisories that it was last held against. */
    feed: number
    problem: string | null
    /** JSON of `Inventory` in `scans/inventory.ts`. */
    inventory: string | null
    /** JSON of `Finding[]` and `ScanResults` in `scans/finding.ts`. */
    findings: string
    results: string | null
  }
  /** What an image carries on to all that is made of it. */
  image_watermarks: {
    image_id: Id<'image'>
    /** `account:name` of who attached it first. */
    watermark_key: string
    source_image_id: Id<'image'>
    source_image_region: string
    source_image_created_at_ms: number
    created_at_ms: number
  }
  image_usage_reports: Owned & {
    id: Id<'image-usage-report'>
    image_id: Id<'image'>
    /** JSON of `ReportedType[]` in `image-usage/report.ts`. */
    resource_types: string
    /** JSON of accounts' numbers; none for all. */
    account_ids: string
    state: 'pending' | 'available' | 'error'
    state_reason: string | null
    created_at_ms: number
  }
  image_usage_entries: {
    report_id: Id<'image-usage-report'>
    account_id: string
    resource_type: string
    usage_count: number
  }
  /** Images on their way into buckets, and what came of it. */
  image_store_tasks: Owned & {
    id: string
    image_id: Id<'image'>
    bucket: string
    object_key: string
    state: 'InProgress' | 'Completed' | 'Failed'
    failure_reason: string | null
    progress_percent: number
    started_at_ms: number
    size_gib: number
    /** JSON of `Description` in `stored-images/description.ts`, as it is in the object. */
    description: string
  }
  /** Images on their way out of buckets. A row is gone when nothing is owed any more. */
  image_restores: Owned & {
    image_id: Id<'image'>
    bucket: string
    object_key: string
    /** JSON of ids, in the order of the object's disks. */
    snapshot_ids: string
    description_digest: string
    size_gib: number
  }
  /** The disks of instance-store images. A row is gone when nothing can be launched of it any more. */
  image_bundles: {
    image_id: Id<'image'>
    /** Where it is to come from; nothing of a copy, which has it already. */
    bucket: string | null
    object_key: string | null
    bundle_digest: string | null
    /** In the block store. */
    disk_manifest: string | null
    size_bytes: number
  }
  /** The roots of instances that are no volumes: files of this host. */
  instance_roots: {
    instance_id: Id<'instance'>
    disk_manifest: string
    size_bytes: number
  }
  image_permissions: {
    image_id: Id<'image'>
    kind: 'user' | 'group' | 'organization' | 'organizational-unit'
    grantee: string
  }
  image_settings: Owned & {
    public_access: 'block-new-sharing' | 'unblocked'
    allowed_state: 'disabled' | 'audit-mode' | 'enabled'
    /** JSON of `Criterion[]` in `images/allowed-images.ts`. */
    allowed_criteria: string
  }
  retention_rules: Owned & {
    id: string
    resource_type: 'EBS_SNAPSHOT' | 'EC2_IMAGE' | 'EBS_VOLUME'
    retention_days: number
    description: string
    /** JSON of `RuleTag[]` in `recycle-bin/rule.ts`. */
    resource_tags: string
    exclude_resource_tags: string
    created_at_ms: number
    unlock_delay_days: number | null
    unlocks_at_ms: number | null
    revision: number
    /** JSON of `Tag[]` in `tags/tag.ts`: the rule's own, of its own service. */
    tags: Generated<string>
  }

  /** Disks on their way in from outside: a starter image being baked, a file, a URL. */
  imports: Owned & {
    id: string
    kind: 'catalog' | 'file' | 'url'
    source: string
    /** JSON of the wishes for the image: name, description, architecture, boot mode. */
    image: string
    state: 'active' | 'completed' | 'error'
    message: string
    done_bytes: number
    total_bytes: number
    created_at_ms: number
    snapshot_id: Id<'snapshot'> | null
    image_id: Id<'image'> | null
    manifest: string | null
  }

  import_tasks: Owned & {
    id: Id<'import-snapshot-task'> | Id<'import-image-task'>
    description: string | null
    /** JSON of `Container[]`: where the disks come from. */
    containers: string
    /** JSON of what the image shall be; nothing where a snapshot is made. */
    image: string | null
    state: 'active' | 'deleting' | 'completed' | 'deleted'
    message: string
    progress_percent: number
    /** JSON of `TaskDisk[]`: what has become of them so far. */
    disks: string
    image_id: Id<'image'> | null
    created_at_ms: number
    ended_at_ms: number | null
    /** The key that what is made is encrypted with. */
    kms_key_id: Generated<string | null>
  }

  organizations: {
    id: string
    management_account_id: string
    root_id: string
    feature_set: 'ALL' | 'CONSOLIDATED_BILLING'
    created_at_ms: number
    /** Goes up with every change. */
    revision: Generated<number>
  }
  organizational_units: {
    id: string
    organization_id: string
    /** The root, or another unit. */
    parent_id: string
    name: string
  }
  organization_accounts: {
    account_id: string
    organization_id: string
    /** The root, or a unit. */
    parent_id: string
    name: string
    email: string
    joined_method: 'CREATED' | 'INVITED'
    joined_at_ms: number
    /** Nothing while the account is open. */
    closure: Generated<'pending' | 'done' | null>
  }
  organization_policies: {
    id: string
    organization_id: string
    type: string
    name: string
    description: string
    content: string
    changed_at_ms: number
  }
  organization_policy_types: { organization_id: string; type: string }
  organization_policy_attachments: {
    /** A root, a unit or an account. */
    target_id: string
    policy_id: string
    type: string
    organization_id: string
    attached_at_ms: number
  }
  /** What is in effect of declarative policies. */
  declared_settings: {
    account_id: string
    organization_id: string
    snapshot_public_access: string | null
    /** JSON. */
    attributes: string
  }
  declarative_reports: Owned & {
    id: Id<'declarative-policies-report'>
    organization_id: string
    bucket: string
    prefix: string | null
    target_id: string
    state: 'running' | 'complete' | 'cancelled' | 'error'
    started_at_ms: number
    ended_at_ms: number | null
    /** JSON of `Summary` in `declarative-reports/report.ts`. */
    summary: string | null
  }
  organization_services: { organization_id: string; principal: string; since_ms: number }
  organization_delegations: {
    organization_id: string
    account_id: string
    principal: string
    since_ms: number
  }
  organization_tags: { organization_id: string; resource_id: string; key: string; value: string }
  /** Accounts that were asked for, and what came of it. */
  account_creations: {
    id: string
    organization_id: string
    account_name: string
    email: string
    role_name: string
    /** JSON. */
    tags: string
    account_id: string | null
    failure_reason: string | null
    requested_at_ms: number
    completed_at_ms: number | null
  }

  kms_keys: Owned & {
    id: string
    manager: 'AWS' | 'CUSTOMER'
    description: string
    state: 'enabled' | 'disabled' | 'pending-deletion' | 'erased'
    deletes_at_ms: number | null
    created_at_ms: number
    /** JSON of `Tag[]` in `tags/tag.ts`: these are no tags of EC2. */
    tags: string
    /** As it was given; NULL for the one that every key begins with. */
    policy: Generated<string | null>
  }
  kms_materials: {
    key_id: string
    version: number
    /** Sealed under the master key; base64. */
    sealed: string
  }
  kms_aliases: Owned & {
    name: string
    key_id: string
    created_at_ms: number
    updated_at_ms: number
  }

  /** The one key that a KMS key encrypts disks with, sealed under it; base64. */
  disk_keys: { key_arn: string; sealed: string }
  /** What becomes of new disks that nobody says anything of. */
  encryption_settings: Owned & { encrypts_by_default: Flag; kms_key_id: string | null }

  parameters: Owned & {
    name: string
    latest_version: number
    /** JSON of `Tag[]` in `tags/tag.ts`: these are no tags of EC2. */
    tags: string
  }
  parameter_versions: Owned & {
    name: string
    version: number
    type: 'String' | 'StringList' | 'SecureString'
    data_type: 'text' | 'aws:ec2:image'
    tier: 'Standard' | 'Advanced'
    /** Of a SecureString as its key has encrypted it, in base64. */
    value: string
    key_id: Generated<string | null>
    description: string | null
    allowed_pattern: string | null
    /** JSON of texts. A label is on one version of a parameter. */
    labels: string
    modified_at_ms: number
    modified_by: string
  }
  iam_entities: {
    id: string
    account_id: string
    kind: 'user' | 'group' | 'role' | 'policy' | 'profile'
    name: string
    folded_name: string
    path: string
    boundary_arn: string | null
    created_at_ms: number
  }
  iam_roles: {
    role_id: string
    trust_policy: string
    description: string | null
    session_s_max: number
  }
  iam_policies: {
    policy_id: string
    description: string | null
    default_version: number
    newest_version: number
    updated_at_ms: number
  }
  iam_policy_versions: {
    policy_id: string
    version: number
    document: string
    created_at_ms: number
  }
  iam_attachments: { owner_id: string; policy_arn: string }
  iam_inline_policies: { owner_id: string; name: string; document: string }
  /** Users in groups, and roles in instance profiles. */
  iam_members: { holder_id: string; member_id: string }
  iam_user_keys: {
    id: string
    user_id: string
    /** In base64. */
    sealed: string
    is_active: Flag
    created_at_ms: number
    used_at_ms: Generated<number | null>
    used_service: Generated<string | null>
    used_region: Generated<string | null>
  }
  /** Of what IAM keeps by name. */
  iam_login_profiles: {
    user_id: string
    hash: string
    created_at_ms: number
    is_reset_required: 0 | 1
  }
  iam_tags: { entity_id: string; folded_key: string; key: string; value: string }
  instance_profile_associations: Owned & {
    id: Id<'instance-profile-association'>
    instance_id: Id<'instance'>
    profile_id: string
    profile_arn: string
    made_at_ms: number
  }

  /** Changes of states that nobody has been told of yet: see `state-changes.ts`. */
  state_changes: {
    sequence: number
    kind:
      | 'image'
      | 'snapshot'
      | 'volume'
      | 'attachment'
      | 'modification'
      | 'instance'
      | 'share'
      | 'fast-launch'
      | 'tier'
      | 'fast-restore'
      | 'public-access'
    resource_id: string
    account_id: string
    region: string
    state: string
    /** JSON: what may be gone by the time that it is told. */
    facts: string
    at_ms: number
  }
  events: Owned & {
    position: number
    id: string
    resource_id: string
    at_ms: number
    /** EventBridge's JSON. */
    body: string
  }
  event_subscriptions: Owned & {
    id: string
    url: string
    /** JSON, as it was given; NULL for every event. */
    pattern: string | null
    /** Under the master key, base64. */
    sealed_secret: string
    created_at_ms: number
    delivered_at_ms: number | null
  }
  /** What a subscription is still owed, and what it will never get. */
  event_deliveries: {
    subscription_id: string
    position: number
    resource_id: string
    state: 'waiting' | 'dead'
    tries: number
    try_at_ms: number
    reason: string | null
  }
  launches: Owned & {
    instance_id: Id<'instance'>
    image_id: Id<'image'>
    image_name: string | null
    image_owner_id: string | null
    instance_type: string
    /** The ARN of who called. */
    launched_by: string | null
    launched_at_ms: number
    /** When the machine was no longer shown. */
    ended_at_ms: number | null
  }
  /** The roots that took the place of those that machines were launched with. */
  launch_roots: {
    task_id: Id<'replace-root-volume-task'>
    instance_id: Id<'instance'>
    image_id: Id<'image'> | null
    image_name: string | null
    image_owner_id: string | null
    snapshot_id: Id<'snapshot'> | null
    volume_id: Id<'volume'>
    replaced_at_ms: number
  }
}
