/**
 * What makes the tables: one statement each, in the dialect that SQLite and
 * PostgreSQL share. The list is append-only.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
  `CREATE TABLE accounts (
     id TEXT PRIMARY KEY, name TEXT NOT NULL, alias TEXT, created_at_ms BIGINT NOT NULL
   )`,
  `CREATE TABLE access_keys (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL REFERENCES accounts (id),
     secret TEXT NOT NULL,
     user_arn TEXT NOT NULL,
     user_id TEXT NOT NULL,
     policies TEXT NOT NULL,
     is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
     created_at_ms BIGINT NOT NULL
   )`,
  // The two databases count up in words of their own, so the sequence is a time and a counter of ours.
  `CREATE TABLE audit_events (
     sequence BIGINT PRIMARY KEY,
     request_id TEXT NOT NULL,
     account_id TEXT,
     user_arn TEXT,
     region TEXT,
     action TEXT NOT NULL,
     outcome TEXT NOT NULL,
     at_ms BIGINT NOT NULL
   )`,
  `CREATE TABLE client_tokens (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     action TEXT NOT NULL,
     token TEXT NOT NULL,
     parameters_digest TEXT NOT NULL,
     answer TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     PRIMARY KEY (account_id, region, action, token)
   )`,
  `CREATE TABLE tags (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     resource_id TEXT NOT NULL,
     resource_type TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (account_id, resource_id, key)
   )`,
  `CREATE INDEX tags_by_region ON tags (account_id, region, resource_type)`,

  `CREATE TABLE vpcs (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     cidr TEXT NOT NULL,
     is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
     created_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX vpcs_by_owner ON vpcs (account_id, region)`,
  `CREATE TABLE subnets (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     vpc_id TEXT NOT NULL REFERENCES vpcs (id),
     availability_zone TEXT NOT NULL,
     cidr TEXT NOT NULL,
     is_default INTEGER NOT NULL CHECK (is_default IN (0, 1)),
     maps_public_ip INTEGER NOT NULL CHECK (maps_public_ip IN (0, 1))
   )`,
  `CREATE INDEX subnets_by_owner ON subnets (account_id, region)`,
  `CREATE TABLE security_groups (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     vpc_id TEXT NOT NULL REFERENCES vpcs (id),
     name TEXT NOT NULL,
     description TEXT NOT NULL,
     UNIQUE (vpc_id, name)
   )`,
  `CREATE INDEX security_groups_by_owner ON security_groups (account_id, region)`,
  `CREATE TABLE security_group_rules (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     group_id TEXT NOT NULL REFERENCES security_groups (id),
     is_egress INTEGER NOT NULL CHECK (is_egress IN (0, 1)),
     protocol TEXT NOT NULL,
     from_port INTEGER NOT NULL,
     to_port INTEGER NOT NULL,
     cidr_ipv4 TEXT,
     cidr_ipv6 TEXT,
     peer_group_id TEXT REFERENCES security_groups (id),
     description TEXT
   )`,
  `CREATE INDEX security_group_rules_by_group ON security_group_rules (group_id)`,
  `CREATE TABLE network_interfaces (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     vpc_id TEXT NOT NULL REFERENCES vpcs (id),
     subnet_id TEXT NOT NULL REFERENCES subnets (id),
     availability_zone TEXT NOT NULL,
     mac TEXT NOT NULL,
     private_ip TEXT NOT NULL,
     public_ip TEXT UNIQUE,
     description TEXT NOT NULL,
     instance_id TEXT,
     attachment_id TEXT,
     device_index INTEGER NOT NULL,
     delete_on_termination INTEGER NOT NULL CHECK (delete_on_termination IN (0, 1)),
     attached_at_ms BIGINT,
     created_at_ms BIGINT NOT NULL,
     UNIQUE (vpc_id, private_ip)
   )`,
  `CREATE INDEX network_interfaces_by_owner ON network_interfaces (account_id, region)`,
  `CREATE INDEX network_interfaces_by_instance ON network_interfaces (instance_id)`,
  `CREATE TABLE network_interface_groups (
     interface_id TEXT NOT NULL REFERENCES network_interfaces (id) ON DELETE CASCADE,
     group_id TEXT NOT NULL REFERENCES security_groups (id),
     position INTEGER NOT NULL,
     PRIMARY KEY (interface_id, group_id)
   )`,
  `CREATE INDEX network_interface_groups_by_group ON network_interface_groups (group_id)`,
  `CREATE TABLE key_pairs (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     type TEXT NOT NULL CHECK (type IN ('rsa', 'ed25519')),
     fingerprint TEXT NOT NULL,
     public_key TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     UNIQUE (account_id, region, name)
   )`,

  `CREATE TABLE instances (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     reservation_id TEXT NOT NULL,
     launch_index INTEGER NOT NULL,
     client_token TEXT,
     image_id TEXT NOT NULL,
     instance_type TEXT NOT NULL,
     architecture TEXT NOT NULL,
     state TEXT NOT NULL CHECK (
       state IN ('pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated')
     ),
     state_reason_code TEXT,
     state_reason_message TEXT,
     state_transition_reason TEXT NOT NULL,
     is_stop_forced INTEGER NOT NULL CHECK (is_stop_forced IN (0, 1)),
     state_since_ms BIGINT NOT NULL,
     reboots_wanted INTEGER NOT NULL,
     reboots_done INTEGER NOT NULL,
     key_name TEXT,
     vpc_id TEXT NOT NULL,
     subnet_id TEXT NOT NULL,
     availability_zone TEXT NOT NULL,
     launched_at_ms BIGINT NOT NULL,
     boot_mode TEXT,
     current_boot_mode TEXT NOT NULL,
     root_device_name TEXT NOT NULL,
     root_device_type TEXT NOT NULL,
     platform TEXT,
     platform_details TEXT NOT NULL,
     usage_operation TEXT NOT NULL,
     user_data TEXT,
     is_termination_disabled INTEGER NOT NULL CHECK (is_termination_disabled IN (0, 1)),
     is_stop_disabled INTEGER NOT NULL CHECK (is_stop_disabled IN (0, 1)),
     shutdown_behavior TEXT NOT NULL CHECK (shutdown_behavior IN ('stop', 'terminate')),
     metadata_options TEXT NOT NULL,
     is_ebs_optimized INTEGER NOT NULL,
     is_monitored INTEGER NOT NULL,
     has_source_dest_check INTEGER NOT NULL
   )`,
  `CREATE INDEX instances_by_owner ON instances (account_id, region, id)`,
  `CREATE INDEX instances_by_state ON instances (state)`,
  `CREATE INDEX instances_by_image ON instances (image_id)`,

  `CREATE TABLE volumes (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     availability_zone TEXT NOT NULL,
     size_gib INTEGER NOT NULL CHECK (size_gib > 0),
     type TEXT NOT NULL,
     iops INTEGER,
     throughput INTEGER,
     snapshot_id TEXT,
     state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'in-use', 'deleting', 'error')),
     created_at_ms BIGINT NOT NULL,
     base_manifest TEXT,
     known_layer INTEGER NOT NULL,
     known_manifest TEXT,
     known_snapshot_id TEXT
   )`,
  `CREATE INDEX volumes_by_owner ON volumes (account_id, region, id)`,
  `CREATE INDEX volumes_by_state ON volumes (state)`,
  // One row a volume: no two instances hold one volume.
  `CREATE TABLE volume_attachments (
     volume_id TEXT PRIMARY KEY REFERENCES volumes (id),
     instance_id TEXT NOT NULL REFERENCES instances (id),
     device TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('attaching', 'attached', 'detaching')),
     is_detach_forced INTEGER NOT NULL CHECK (is_detach_forced IN (0, 1)),
     delete_on_termination INTEGER NOT NULL CHECK (delete_on_termination IN (0, 1)),
     attached_at_ms BIGINT NOT NULL,
     UNIQUE (instance_id, device)
   )`,
  `CREATE INDEX volume_attachments_by_state ON volume_attachments (state)`,

  `CREATE TABLE freezes (
     id TEXT PRIMARY KEY,
     instance_id TEXT,
     with_reboot INTEGER NOT NULL CHECK (with_reboot IN (0, 1)),
     state TEXT NOT NULL CHECK (state IN ('wanted', 'done')),
     wanted_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX freezes_by_state ON freezes (state)`,
  `CREATE TABLE snapshots (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     volume_id TEXT NOT NULL,
     volume_size_gib INTEGER NOT NULL CHECK (volume_size_gib > 0),
     description TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending', 'completed', 'error')),
     state_message TEXT,
     started_at_ms BIGINT NOT NULL,
     completed_at_ms BIGINT,
     progress_percent INTEGER NOT NULL,
     freeze_id TEXT REFERENCES freezes (id),
     layer INTEGER,
     manifest TEXT,
     parent_snapshot_id TEXT,
     full_size_bytes BIGINT,
     added_bytes BIGINT,
     CHECK ((state = 'completed') = (manifest IS NOT NULL))
   )`,
  `CREATE INDEX snapshots_by_owner ON snapshots (account_id, region, id)`,
  `CREATE INDEX snapshots_by_state ON snapshots (state)`,
  `CREATE INDEX snapshots_by_volume ON snapshots (volume_id)`,
  `CREATE INDEX snapshots_by_freeze ON snapshots (freeze_id)`,
  `CREATE TABLE snapshot_permissions (
     snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
     grantee TEXT NOT NULL,
     PRIMARY KEY (snapshot_id, grantee)
   )`,
  `CREATE INDEX snapshot_permissions_by_grantee ON snapshot_permissions (grantee)`,

  `CREATE TABLE images (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     description TEXT,
     location TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending', 'available', 'failed', 'deregistered')),
     state_reason_code TEXT,
     state_reason_message TEXT,
     created_at_ms BIGINT NOT NULL,
     deregistered_at_ms BIGINT,
     architecture TEXT NOT NULL,
     boot_mode TEXT,
     root_device_name TEXT NOT NULL,
     root_device_type TEXT NOT NULL,
     virtualization_type TEXT NOT NULL,
     platform TEXT,
     platform_details TEXT NOT NULL,
     usage_operation TEXT NOT NULL,
     ena_support INTEGER NOT NULL,
     sriov_net_support TEXT,
     imds_support TEXT,
     tpm_support TEXT,
     is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
     source_instance_id TEXT,
     source_image_id TEXT,
     source_image_region TEXT,
     last_launched_at_ms BIGINT,
     block_devices TEXT NOT NULL
   )`,
  // A name is taken by an image that is on its way or there; one that is gone or failed frees it.
  `CREATE UNIQUE INDEX images_by_name ON images (account_id, region, name)
     WHERE state IN ('pending', 'available')`,
  `CREATE INDEX images_by_name_of_any ON images (region, name, account_id)`,
  `CREATE INDEX images_by_owner ON images (account_id, region, id)`,
  `CREATE INDEX images_public ON images (region, is_public, id)`,
  `CREATE INDEX images_by_state ON images (state)`,
  `CREATE TABLE image_snapshots (
     image_id TEXT NOT NULL REFERENCES images (id),
     snapshot_id TEXT NOT NULL,
     PRIMARY KEY (snapshot_id, image_id)
   )`,
  `CREATE INDEX image_snapshots_by_image ON image_snapshots (image_id)`,
  `CREATE TABLE image_permissions (
     image_id TEXT NOT NULL REFERENCES images (id),
     kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'organization', 'organizational-unit')),
     grantee TEXT NOT NULL,
     PRIMARY KEY (image_id, kind, grantee)
   )`,
  `CREATE INDEX image_permissions_by_grantee ON image_permissions (kind, grantee)`,

  `CREATE TABLE imports (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('catalog', 'file', 'url')),
     source TEXT NOT NULL,
     image TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('active', 'completed', 'error')),
     message TEXT NOT NULL,
     done_bytes BIGINT NOT NULL,
     total_bytes BIGINT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     snapshot_id TEXT,
     image_id TEXT,
     manifest TEXT
   )`,
  `CREATE INDEX imports_by_state ON imports (state)`,

  `CREATE TABLE snapshot_copies (
     snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     source_snapshot_id TEXT NOT NULL,
     source_region TEXT NOT NULL,
     manifest TEXT NOT NULL,
     full_size_bytes BIGINT NOT NULL,
     completion_minutes INTEGER,
     is_done INTEGER NOT NULL CHECK (is_done IN (0, 1))
   )`,
  `CREATE INDEX snapshot_copies_under_way ON snapshot_copies (is_done, account_id, region)`,

  `CREATE TABLE organizations (
     id TEXT PRIMARY KEY,
     management_account_id TEXT NOT NULL UNIQUE,
     root_id TEXT NOT NULL UNIQUE,
     feature_set TEXT NOT NULL CHECK (feature_set IN ('ALL', 'CONSOLIDATED_BILLING')),
     created_at_ms BIGINT NOT NULL
   )`,
  `CREATE TABLE organizational_units (
     id TEXT PRIMARY KEY,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     parent_id TEXT NOT NULL,
     name TEXT NOT NULL,
     UNIQUE (parent_id, name)
   )`,
  `CREATE INDEX organizational_units_by_organization ON organizational_units (organization_id)`,
  `CREATE TABLE organization_accounts (
     account_id TEXT PRIMARY KEY,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     parent_id TEXT NOT NULL,
     name TEXT NOT NULL,
     email TEXT NOT NULL,
     joined_method TEXT NOT NULL CHECK (joined_method IN ('CREATED', 'INVITED')),
     joined_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX organization_accounts_by_parent ON organization_accounts (organization_id, parent_id)`,
  `CREATE TABLE account_requests (
     id TEXT PRIMARY KEY,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     account_name TEXT NOT NULL,
     account_id TEXT,
     failure_reason TEXT,
     requested_at_ms BIGINT NOT NULL,
     completed_at_ms BIGINT NOT NULL,
     CHECK ((account_id IS NULL) = (failure_reason IS NOT NULL))
   )`,
  // An image can be disabled, and be in the Recycle Bin, too. SQLite cannot change a CHECK in place.
  `DROP INDEX images_by_name`,
  `DROP INDEX images_by_state`,
  `ALTER TABLE images ADD COLUMN state_now TEXT NOT NULL DEFAULT 'available' CHECK (
     state_now IN ('pending', 'available', 'failed', 'disabled', 'recycled', 'deregistered')
   )`,
  `UPDATE images SET state_now = state`,
  `ALTER TABLE images DROP COLUMN state`,
  `ALTER TABLE images RENAME COLUMN state_now TO state`,
  `CREATE UNIQUE INDEX images_by_name ON images (account_id, region, name)
     WHERE state IN ('pending', 'available', 'disabled')`,
  `CREATE INDEX images_by_state ON images (state)`,
  `ALTER TABLE images ADD COLUMN deprecates_at_ms BIGINT`,
  `ALTER TABLE images ADD COLUMN protection TEXT NOT NULL DEFAULT 'disabled' CHECK (
     protection IN ('disabled', 'enabled-without-cooldown', 'enabled-with-cooldown')
   )`,
  `ALTER TABLE images ADD COLUMN protected_until_ms BIGINT`,
  `ALTER TABLE images ADD COLUMN recycled_at_ms BIGINT`,
  `ALTER TABLE images ADD COLUMN recycle_exit_at_ms BIGINT`,
  `ALTER TABLE images ADD COLUMN instance_types TEXT`,
  // No row stands for the settings that every account begins with.
  `CREATE TABLE image_settings (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     public_access TEXT NOT NULL CHECK (public_access IN ('block-new-sharing', 'unblocked')),
     allowed_state TEXT NOT NULL CHECK (allowed_state IN ('disabled', 'audit-mode', 'enabled')),
     allowed_criteria TEXT NOT NULL,
     PRIMARY KEY (account_id, region)
   )`,
  `CREATE TABLE retention_rules (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     resource_type TEXT NOT NULL CHECK (
       resource_type IN ('EBS_SNAPSHOT', 'EC2_IMAGE', 'EBS_VOLUME')
     ),
     retention_days INTEGER NOT NULL CHECK (retention_days > 0),
     description TEXT NOT NULL,
     resource_tags TEXT NOT NULL,
     exclude_resource_tags TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     unlock_delay_days INTEGER,
     unlocks_at_ms BIGINT,
     revision INTEGER NOT NULL
   )`,
  `CREATE INDEX retention_rules_by_owner ON retention_rules (account_id, region, resource_type)`,

  `CREATE TABLE image_watermarks (
     image_id TEXT NOT NULL REFERENCES images (id),
     watermark_key TEXT NOT NULL,
     source_image_id TEXT NOT NULL,
     source_image_region TEXT NOT NULL,
     source_image_created_at_ms BIGINT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     PRIMARY KEY (image_id, watermark_key)
   )`,
  `CREATE TABLE image_usage_reports (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     image_id TEXT NOT NULL,
     resource_types TEXT NOT NULL,
     account_ids TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('pending', 'available', 'error')),
     state_reason TEXT,
     created_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX image_usage_reports_by_owner ON image_usage_reports (account_id, region, id)`,
  `CREATE INDEX image_usage_reports_by_state ON image_usage_reports (state, created_at_ms)`,
  `CREATE TABLE image_usage_entries (
     report_id TEXT NOT NULL REFERENCES image_usage_reports (id) ON DELETE CASCADE,
     account_id TEXT NOT NULL,
     resource_type TEXT NOT NULL,
     usage_count INTEGER NOT NULL CHECK (usage_count > 0),
     PRIMARY KEY (report_id, account_id, resource_type)
   )`,
  `ALTER TABLE volumes ADD COLUMN state_message TEXT`,

  `CREATE TABLE parameters (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     latest_version INTEGER NOT NULL CHECK (latest_version > 0),
     tags TEXT NOT NULL,
     PRIMARY KEY (account_id, region, name)
   )`,
  `CREATE TABLE parameter_versions (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     version INTEGER NOT NULL CHECK (version > 0),
     type TEXT NOT NULL CHECK (type IN ('String', 'StringList')),
     data_type TEXT NOT NULL CHECK (data_type IN ('text', 'aws:ec2:image')),
     tier TEXT NOT NULL CHECK (tier IN ('Standard', 'Advanced')),
     value TEXT NOT NULL,
     description TEXT,
     allowed_pattern TEXT,
     labels TEXT NOT NULL,
     modified_at_ms BIGINT NOT NULL,
     modified_by TEXT NOT NULL,
     PRIMARY KEY (account_id, region, name, version),
     FOREIGN KEY (account_id, region, name) REFERENCES parameters (account_id, region, name)
   )`,

  `ALTER TABLE retention_rules ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'`,

  `ALTER TABLE network_interfaces ADD COLUMN assigns_public_ip INTEGER NOT NULL DEFAULT 0
     CHECK (assigns_public_ip IN (0, 1))`,
  `UPDATE network_interfaces SET assigns_public_ip = 1 WHERE public_ip IS NOT NULL`,
  `UPDATE network_interfaces SET public_ip = NULL
     WHERE instance_id IN (SELECT id FROM instances WHERE state = 'stopped')`,

  `CREATE TABLE snapshot_settings (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     public_access TEXT NOT NULL CHECK (
       public_access IN ('block-all-sharing', 'block-new-sharing', 'unblocked')
     ),
     PRIMARY KEY (account_id, region)
   )`,

  `CREATE TABLE image_store_tasks (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     image_id TEXT NOT NULL,
     bucket TEXT NOT NULL,
     object_key TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('InProgress', 'Completed', 'Failed')),
     failure_reason TEXT,
     progress_percent INTEGER NOT NULL CHECK (progress_percent BETWEEN 0 AND 100),
     started_at_ms BIGINT NOT NULL,
     size_gib INTEGER NOT NULL,
     description TEXT NOT NULL,
     CHECK ((state = 'Failed') = (failure_reason IS NOT NULL))
   )`,
  `CREATE INDEX image_store_tasks_by_owner ON image_store_tasks (account_id, region, started_at_ms)`,
  `CREATE INDEX image_store_tasks_by_state ON image_store_tasks (state, started_at_ms)`,
  `CREATE UNIQUE INDEX image_store_tasks_in_progress
     ON image_store_tasks (account_id, region, bucket, image_id) WHERE state = 'InProgress'`,
  `CREATE TABLE image_restores (
     image_id TEXT PRIMARY KEY REFERENCES images (id),
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     bucket TEXT NOT NULL,
     object_key TEXT NOT NULL,
     snapshot_ids TEXT NOT NULL,
     description_digest TEXT NOT NULL,
     size_gib INTEGER NOT NULL
   )`,

  `ALTER TABLE snapshots ADD COLUMN recycled_at_ms BIGINT`,
  `ALTER TABLE snapshots ADD COLUMN recycle_exit_at_ms BIGINT`,
  `CREATE INDEX snapshots_recycled ON snapshots (recycle_exit_at_ms)`,
  `ALTER TABLE volumes ADD COLUMN recycled_at_ms BIGINT`,
  `ALTER TABLE volumes ADD COLUMN recycle_exit_at_ms BIGINT`,
  `CREATE INDEX volumes_recycled ON volumes (recycle_exit_at_ms)`,
  // No cascade: the database itself keeps a snapshot that has a lock.
  `CREATE TABLE snapshot_locks (
     snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id),
     mode TEXT NOT NULL CHECK (mode IN ('governance', 'compliance')),
     cool_off_hours INTEGER CHECK (cool_off_hours BETWEEN 1 AND 72),
     created_at_ms BIGINT NOT NULL,
     changed_at_ms BIGINT NOT NULL,
     duration_days INTEGER CHECK (duration_days BETWEEN 1 AND 36500),
     until_ms BIGINT,
     CHECK ((duration_days IS NULL) = (until_ms IS NOT NULL))
   )`,

  `CREATE TABLE direct_snapshots (
     snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
     state TEXT NOT NULL CHECK (state IN ('open', 'sealing', 'done')),
     parent_snapshot_id TEXT,
     parent_manifest TEXT,
     timeout_minutes INTEGER NOT NULL CHECK (timeout_minutes > 0),
     touched_at_ms BIGINT NOT NULL,
     changed_blocks_count INTEGER,
     CHECK ((state = 'sealing') <= (changed_blocks_count IS NOT NULL))
   )`,
  `CREATE INDEX direct_snapshots_by_state ON direct_snapshots (state)`,
  `CREATE TABLE direct_blocks (
     snapshot_id TEXT NOT NULL REFERENCES direct_snapshots (snapshot_id) ON DELETE CASCADE,
     block_index INTEGER NOT NULL CHECK (block_index >= 0),
     digest TEXT NOT NULL,
     added_bytes BIGINT NOT NULL,
     PRIMARY KEY (snapshot_id, block_index)
   )`,

  `CREATE TABLE kms_keys (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     manager TEXT NOT NULL CHECK (manager IN ('AWS', 'CUSTOMER')),
     description TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'pending-deletion', 'erased')),
     deletes_at_ms BIGINT,
     created_at_ms BIGINT NOT NULL,
     tags TEXT NOT NULL,
     CHECK ((state IN ('pending-deletion', 'erased')) = (deletes_at_ms IS NOT NULL))
   )`,
  `CREATE INDEX kms_keys_by_owner ON kms_keys (account_id, region, id)`,
  `CREATE INDEX kms_keys_by_deletion ON kms_keys (deletes_at_ms)`,
  `CREATE TABLE kms_materials (
     key_id TEXT NOT NULL REFERENCES kms_keys (id),
     version INTEGER NOT NULL CHECK (version > 0),
     sealed TEXT NOT NULL,
     PRIMARY KEY (key_id, version)
   )`,
  `CREATE TABLE kms_aliases (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     key_id TEXT NOT NULL REFERENCES kms_keys (id),
     created_at_ms BIGINT NOT NULL,
     updated_at_ms BIGINT NOT NULL,
     PRIMARY KEY (account_id, region, name)
   )`,
  `CREATE INDEX kms_aliases_by_key ON kms_aliases (key_id)`,

  `CREATE TABLE image_uefi_data (
     image_id TEXT PRIMARY KEY REFERENCES images (id),
     data TEXT NOT NULL
   )`,

  `ALTER TABLE volumes ADD COLUMN initialization_rate INTEGER`,
  `ALTER TABLE volumes ADD COLUMN auto_enable_io INTEGER NOT NULL DEFAULT 0
     CHECK (auto_enable_io IN (0, 1))`,
  `CREATE TABLE volume_modifications (
     volume_id TEXT NOT NULL REFERENCES volumes (id) ON DELETE CASCADE,
     number INTEGER NOT NULL CHECK (number > 0),
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('modifying', 'optimizing', 'completed', 'failed')),
     message TEXT,
     original_size_gib INTEGER NOT NULL,
     original_type TEXT NOT NULL,
     original_iops INTEGER,
     original_throughput INTEGER,
     target_size_gib INTEGER NOT NULL,
     target_type TEXT NOT NULL,
     target_iops INTEGER,
     target_throughput INTEGER,
     started_at_ms BIGINT NOT NULL,
     ended_at_ms BIGINT,
     PRIMARY KEY (volume_id, number),
     CHECK (target_size_gib >= original_size_gib)
   )`,
  `CREATE INDEX volume_modifications_by_state ON volume_modifications (state)`,
  `CREATE INDEX volume_modifications_by_owner ON volume_modifications (account_id, region)`,

  `ALTER TABLE snapshots ADD COLUMN storage_tier TEXT NOT NULL DEFAULT 'standard'
     CHECK (storage_tier IN ('standard', 'archive'))`,
  `ALTER TABLE snapshots ADD COLUMN restore_expires_at_ms BIGINT`,
  `CREATE INDEX snapshots_restored ON snapshots (restore_expires_at_ms)`,
  `CREATE TABLE snapshot_tiers (
     snapshot_id TEXT PRIMARY KEY REFERENCES snapshots (id) ON DELETE CASCADE,
     operation TEXT NOT NULL CHECK (
       operation IN ('archival', 'temporary-restore', 'permanent-restore')
     ),
     progress TEXT NOT NULL CHECK (progress IN ('in-progress', 'completed', 'failed')),
     detail TEXT NOT NULL,
     started_at_ms BIGINT NOT NULL,
     archived_at_ms BIGINT,
     restore_days INTEGER
   )`,
  `CREATE INDEX snapshot_tiers_by_progress ON snapshot_tiers (progress)`,
  `CREATE TABLE fast_restores (
     snapshot_id TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
     zone TEXT NOT NULL,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     state TEXT NOT NULL CHECK (
       state IN ('enabling', 'optimizing', 'enabled', 'disabling', 'disabled')
     ),
     times TEXT NOT NULL,
     PRIMARY KEY (snapshot_id, zone, account_id)
   )`,
  `CREATE INDEX fast_restores_by_state ON fast_restores (state)`,

  `CREATE TABLE replace_root_volume_tasks (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     instance_id TEXT NOT NULL,
     state TEXT NOT NULL CHECK (
       state IN ('pending', 'in-progress', 'failing', 'succeeded', 'failed', 'failed-detached')
     ),
     message TEXT,
     image_id TEXT,
     snapshot_id TEXT,
     old_volume_id TEXT NOT NULL,
     new_volume_id TEXT NOT NULL,
     is_volume_given INTEGER NOT NULL CHECK (is_volume_given IN (0, 1)),
     deletes_replaced INTEGER NOT NULL CHECK (deletes_replaced IN (0, 1)),
     is_swapped INTEGER NOT NULL CHECK (is_swapped IN (0, 1)),
     started_at_ms BIGINT NOT NULL,
     begun_at_ms BIGINT,
     ended_at_ms BIGINT
   )`,
  `CREATE INDEX replace_root_volume_tasks_by_owner
     ON replace_root_volume_tasks (account_id, region)`,
  `CREATE UNIQUE INDEX replace_root_volume_tasks_under_way
     ON replace_root_volume_tasks (instance_id)
     WHERE state IN ('pending', 'in-progress', 'failing')`,

  `ALTER TABLE instances ADD COLUMN tpm_support TEXT CHECK (tpm_support IN ('v2.0'))`,

  `ALTER TABLE volumes ADD COLUMN source_volume_id TEXT`,
  `ALTER TABLE snapshots ADD COLUMN copy_volume_id TEXT`,
  `CREATE INDEX snapshots_of_copies ON snapshots (copy_volume_id)`,

  `ALTER TABLE audit_events ADD COLUMN position BIGINT`,
  `ALTER TABLE audit_events ADD COLUMN event_id TEXT`,
  `ALTER TABLE audit_events ADD COLUMN event_source TEXT`,
  `ALTER TABLE audit_events ADD COLUMN user_name TEXT`,
  `ALTER TABLE audit_events ADD COLUMN access_key_id TEXT`,
  `ALTER TABLE audit_events ADD COLUMN is_read_only INTEGER CHECK (is_read_only IN (0, 1))`,
  `ALTER TABLE audit_events ADD COLUMN record TEXT`,
  `ALTER TABLE audit_events ADD COLUMN hash TEXT`,
  `CREATE UNIQUE INDEX audit_events_of_trails ON audit_events (account_id, position)`,
  `CREATE TABLE audit_resources (
     sequence BIGINT NOT NULL,
     type TEXT NOT NULL,
     name TEXT NOT NULL,
     PRIMARY KEY (sequence, name)
   )`,
  `CREATE INDEX audit_resources_by_name ON audit_resources (name)`,
  `CREATE TABLE audit_trails (
     account_id TEXT PRIMARY KEY,
     position BIGINT NOT NULL,
     hash TEXT NOT NULL,
     first_position BIGINT NOT NULL,
     first_hash TEXT NOT NULL
   )`,

  `ALTER TABLE volumes ADD COLUMN kms_key_id TEXT`,
  `ALTER TABLE volumes ADD COLUMN base_kms_key_id TEXT`,
  `ALTER TABLE snapshots ADD COLUMN kms_key_id TEXT`,
  `ALTER TABLE snapshot_copies ADD COLUMN source_kms_key_id TEXT`,
  `CREATE TABLE disk_keys (key_arn TEXT PRIMARY KEY, sealed TEXT NOT NULL)`,
  // No row stands for what every account begins with: no encryption by default, by the key of AWS.
  `CREATE TABLE encryption_settings (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     encrypts_by_default INTEGER NOT NULL CHECK (encrypts_by_default IN (0, 1)),
     kms_key_id TEXT,
     PRIMARY KEY (account_id, region)
   )`,

  `CREATE TABLE import_tasks (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     description TEXT,
     containers TEXT NOT NULL,
     image TEXT,
     state TEXT NOT NULL CHECK (state IN ('active', 'deleting', 'completed', 'deleted')),
     message TEXT NOT NULL,
     progress_percent INTEGER NOT NULL CHECK (progress_percent BETWEEN 0 AND 100),
     disks TEXT NOT NULL,
     image_id TEXT,
     created_at_ms BIGINT NOT NULL,
     ended_at_ms BIGINT,
     CHECK ((ended_at_ms IS NULL) = (state IN ('active', 'deleting')))
   )`,
  `CREATE INDEX import_tasks_by_owner ON import_tasks (account_id, region)`,
  `CREATE INDEX import_tasks_by_state ON import_tasks (state)`,

  `CREATE TABLE image_bundles (
     image_id TEXT PRIMARY KEY REFERENCES images (id),
     bucket TEXT,
     object_key TEXT,
     bundle_digest TEXT,
     disk_manifest TEXT,
     size_bytes BIGINT NOT NULL CHECK (size_bytes > 0),
     CHECK (disk_manifest IS NOT NULL OR bundle_digest IS NOT NULL)
   )`,
  `CREATE TABLE instance_roots (
     instance_id TEXT PRIMARY KEY REFERENCES instances (id),
     disk_manifest TEXT NOT NULL,
     size_bytes BIGINT NOT NULL CHECK (size_bytes > 0)
   )`,

  `CREATE TABLE secured_versions (
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     name TEXT NOT NULL,
     version INTEGER NOT NULL CHECK (version > 0),
     type TEXT NOT NULL CHECK (type IN ('String', 'StringList', 'SecureString')),
     data_type TEXT NOT NULL CHECK (data_type IN ('text', 'aws:ec2:image')),
     tier TEXT NOT NULL CHECK (tier IN ('Standard', 'Advanced')),
     value TEXT NOT NULL,
     key_id TEXT,
     description TEXT,
     allowed_pattern TEXT,
     labels TEXT NOT NULL,
     modified_at_ms BIGINT NOT NULL,
     modified_by TEXT NOT NULL,
     CHECK ((key_id IS NOT NULL) = (type = 'SecureString')),
     PRIMARY KEY (account_id, region, name, version),
     FOREIGN KEY (account_id, region, name) REFERENCES parameters (account_id, region, name)
   )`,
  `INSERT INTO secured_versions
     SELECT account_id, region, name, version, type, data_type, tier, value, NULL, description,
       allowed_pattern, labels, modified_at_ms, modified_by
     FROM parameter_versions`,
  `DROP TABLE parameter_versions`,
  `ALTER TABLE secured_versions RENAME TO parameter_versions`,

  `ALTER TABLE kms_keys ADD COLUMN policy TEXT`,

  // What IAM keeps by name: a name of its kind in the account, whatever the case of its letters.
  `CREATE TABLE iam_entities (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('user', 'group', 'role', 'policy', 'profile')),
     name TEXT NOT NULL,
     folded_name TEXT NOT NULL,
     path TEXT NOT NULL,
     boundary_arn TEXT,
     created_at_ms BIGINT NOT NULL,
     UNIQUE (account_id, kind, folded_name),
     CHECK (boundary_arn IS NULL OR kind IN ('user', 'role'))
   )`,
  `CREATE INDEX iam_entities_by_boundary ON iam_entities (boundary_arn)`,
  `CREATE TABLE iam_roles (
     role_id TEXT PRIMARY KEY REFERENCES iam_entities (id),
     trust_policy TEXT NOT NULL,
     description TEXT,
     session_s_max INTEGER NOT NULL CHECK (session_s_max BETWEEN 3600 AND 43200)
   )`,
  `CREATE TABLE iam_policies (
     policy_id TEXT PRIMARY KEY REFERENCES iam_entities (id),
     description TEXT,
     default_version INTEGER NOT NULL,
     newest_version INTEGER NOT NULL,
     updated_at_ms BIGINT NOT NULL,
     CHECK (default_version BETWEEN 1 AND newest_version)
   )`,
  `CREATE TABLE iam_policy_versions (
     policy_id TEXT NOT NULL REFERENCES iam_policies (policy_id),
     version INTEGER NOT NULL,
     document TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     PRIMARY KEY (policy_id, version)
   )`,
  // Policies that every account has are attached by their ARNs, and are in no table.
  `CREATE TABLE iam_attachments (
     owner_id TEXT NOT NULL REFERENCES iam_entities (id),
     policy_arn TEXT NOT NULL,
     PRIMARY KEY (owner_id, policy_arn)
   )`,
  `CREATE INDEX iam_attachments_by_policy ON iam_attachments (policy_arn)`,
  `CREATE TABLE iam_inline_policies (
     owner_id TEXT NOT NULL REFERENCES iam_entities (id),
     name TEXT NOT NULL,
     document TEXT NOT NULL,
     PRIMARY KEY (owner_id, name)
   )`,
  `CREATE TABLE iam_members (
     holder_id TEXT NOT NULL REFERENCES iam_entities (id),
     member_id TEXT NOT NULL REFERENCES iam_entities (id),
     PRIMARY KEY (holder_id, member_id)
   )`,
  `CREATE INDEX iam_members_by_member ON iam_members (member_id)`,
  `CREATE TABLE iam_user_keys (
     id TEXT PRIMARY KEY,
     user_id TEXT NOT NULL REFERENCES iam_entities (id),
     sealed TEXT NOT NULL,
     is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
     created_at_ms BIGINT NOT NULL,
     used_at_ms BIGINT,
     used_service TEXT,
     used_region TEXT
   )`,
  `CREATE INDEX iam_user_keys_by_user ON iam_user_keys (user_id)`,

  `ALTER TABLE import_tasks ADD COLUMN kms_key_id TEXT`,

  `CREATE TABLE organization_policies (
     id TEXT PRIMARY KEY,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     type TEXT NOT NULL,
     name TEXT NOT NULL,
     description TEXT NOT NULL,
     content TEXT NOT NULL,
     changed_at_ms BIGINT NOT NULL,
     UNIQUE (organization_id, type, name)
   )`,
  `CREATE TABLE organization_policy_types (
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     type TEXT NOT NULL,
     PRIMARY KEY (organization_id, type)
   )`,
  // A target is a root, a unit or an account. The policy that AWS manages is in no table.
  `CREATE TABLE organization_policy_attachments (
     target_id TEXT NOT NULL,
     policy_id TEXT NOT NULL,
     type TEXT NOT NULL,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     attached_at_ms BIGINT NOT NULL,
     PRIMARY KEY (target_id, policy_id)
   )`,
  `CREATE INDEX organization_policy_attachments_by_policy
     ON organization_policy_attachments (organization_id, policy_id)`,
  `CREATE TABLE organization_tags (
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     resource_id TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (organization_id, resource_id, key)
   )`,
  // What was asked for is kept until it is done. SQLite cannot change a CHECK in place.
  `CREATE TABLE account_creations (
     id TEXT PRIMARY KEY,
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     account_name TEXT NOT NULL,
     email TEXT NOT NULL,
     role_name TEXT NOT NULL,
     tags TEXT NOT NULL,
     account_id TEXT,
     failure_reason TEXT,
     requested_at_ms BIGINT NOT NULL,
     completed_at_ms BIGINT,
     CHECK (account_id IS NULL OR failure_reason IS NULL),
     CHECK ((completed_at_ms IS NULL) = (account_id IS NULL AND failure_reason IS NULL))
   )`,
  `INSERT INTO account_creations
     SELECT id, organization_id, account_name, '', '', '[]', account_id, failure_reason,
            requested_at_ms, completed_at_ms
     FROM account_requests`,
  `DROP TABLE account_requests`,
  `CREATE INDEX account_creations_by_organization ON account_creations (organization_id)`,
  `CREATE INDEX account_creations_under_way ON account_creations (completed_at_ms)
     WHERE completed_at_ms IS NULL`,
  `ALTER TABLE organization_accounts ADD COLUMN closure TEXT
     CHECK (closure IN ('pending', 'done'))`,

  `CREATE TABLE iam_tags (
     entity_id TEXT NOT NULL REFERENCES iam_entities (id),
     folded_key TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (entity_id, folded_key)
   )`,
  // The profile may be deleted before the association ends.
  `CREATE TABLE instance_profile_associations (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     instance_id TEXT NOT NULL UNIQUE REFERENCES instances (id),
     profile_id TEXT NOT NULL,
     profile_arn TEXT NOT NULL,
     made_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX instance_profile_associations_by_owner
     ON instance_profile_associations (account_id, region)`,

  `CREATE TABLE advisories (
     ecosystem TEXT NOT NULL,
     package_name TEXT NOT NULL,
     id TEXT NOT NULL,
     detail TEXT NOT NULL,
     modified_at_ms BIGINT NOT NULL,
     PRIMARY KEY (ecosystem, package_name, id)
   )`,
  `CREATE INDEX advisories_by_id ON advisories (id)`,
  `CREATE TABLE disk_scans (
     disk TEXT PRIMARY KEY,
     kms_key_id TEXT,
     feed INTEGER NOT NULL,
     problem TEXT,
     inventory TEXT,
     findings TEXT NOT NULL,
     results TEXT,
     CHECK ((inventory IS NULL) = (results IS NULL))
   )`,
  `CREATE INDEX disk_scans_by_feed ON disk_scans (feed)`,
  // What images boot from, and what else they have, that were there before anything was scanned.
  `INSERT INTO disk_scans (disk, kms_key_id, feed, findings)
     SELECT manifest, MAX(kms_key_id), 0, '[]' FROM snapshots
     WHERE manifest IS NOT NULL AND id IN (SELECT snapshot_id FROM image_snapshots)
     GROUP BY manifest`,
  `INSERT INTO disk_scans (disk, feed, findings)
     SELECT DISTINCT disk_manifest, 0, '[]' FROM image_bundles
     WHERE disk_manifest IS NOT NULL
       AND disk_manifest NOT IN (SELECT disk FROM disk_scans)`,

  // Written by triggers, see `state-changes.ts`: what is still to be told.
  `CREATE TABLE state_changes (
     sequence BIGINT PRIMARY KEY,
     kind TEXT NOT NULL,
     resource_id TEXT NOT NULL,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     state TEXT NOT NULL,
     facts TEXT NOT NULL,
     at_ms BIGINT NOT NULL
   )`,
  `CREATE TABLE events (
     position BIGINT PRIMARY KEY,
     id TEXT NOT NULL UNIQUE,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     resource_id TEXT NOT NULL,
     at_ms BIGINT NOT NULL,
     body TEXT NOT NULL
   )`,
  `CREATE INDEX events_by_owner ON events (account_id, region, position)`,
  `CREATE TABLE event_subscriptions (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     url TEXT NOT NULL,
     pattern TEXT,
     sealed_secret TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     delivered_at_ms BIGINT
   )`,
  `CREATE INDEX event_subscriptions_by_owner ON event_subscriptions (account_id, region)`,
  `CREATE TABLE event_deliveries (
     subscription_id TEXT NOT NULL REFERENCES event_subscriptions (id),
     position BIGINT NOT NULL REFERENCES events (position),
     resource_id TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('waiting', 'dead')),
     tries INTEGER NOT NULL,
     try_at_ms BIGINT NOT NULL,
     reason TEXT,
     PRIMARY KEY (subscription_id, position),
     CHECK (state = 'waiting' OR reason IS NOT NULL)
   )`,
  `CREATE INDEX event_deliveries_by_state ON event_deliveries (subscription_id, state, position)`,
  `CREATE INDEX event_deliveries_by_position ON event_deliveries (position)`,
  // Which machine was started from which image: also when both are gone.
  `CREATE TABLE launches (
     instance_id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     image_id TEXT NOT NULL,
     image_name TEXT,
     image_owner_id TEXT,
     instance_type TEXT NOT NULL,
     launched_by TEXT,
     launched_at_ms BIGINT NOT NULL,
     ended_at_ms BIGINT
   )`,
  `CREATE INDEX launches_by_image ON launches (image_id, launched_at_ms)`,
  `CREATE INDEX launches_by_owner ON launches (account_id, region)`,
  `CREATE INDEX launches_by_end ON launches (ended_at_ms)`,
  `INSERT INTO launches
     SELECT instances.id, instances.account_id, instances.region, instances.image_id, images.name,
       images.account_id, instances.instance_type, NULL, instances.launched_at_ms, NULL
     FROM instances LEFT JOIN images ON images.id = instances.image_id`,
  // What the policies of an organization come to for each account, so that reading it is cheap.
  `CREATE TABLE declared_settings (
     account_id TEXT PRIMARY KEY REFERENCES accounts (id),
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     snapshot_public_access TEXT,
     attributes TEXT NOT NULL
   )`,
  `CREATE INDEX declared_settings_by_organization ON declared_settings (organization_id)`,
  `CREATE TABLE declarative_reports (
     id TEXT PRIMARY KEY,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     organization_id TEXT NOT NULL,
     bucket TEXT NOT NULL,
     prefix TEXT,
     target_id TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'cancelled', 'error')),
     started_at_ms BIGINT NOT NULL,
     ended_at_ms BIGINT,
     summary TEXT,
     CHECK ((state = 'running') = (ended_at_ms IS NULL)),
     CHECK ((state = 'complete') = (summary IS NOT NULL))
   )`,
  `CREATE INDEX declarative_reports_by_owner ON declarative_reports (account_id, region)`,
  // One at a time for an organization.
  `CREATE UNIQUE INDEX declarative_reports_under_way ON declarative_reports (organization_id)
     WHERE state = 'running'`,
  `CREATE TABLE organization_services (
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     principal TEXT NOT NULL,
     since_ms BIGINT NOT NULL,
     PRIMARY KEY (organization_id, principal)
   )`,
  `CREATE TABLE organization_delegations (
     organization_id TEXT NOT NULL REFERENCES organizations (id),
     account_id TEXT NOT NULL REFERENCES accounts (id),
     principal TEXT NOT NULL,
     since_ms BIGINT NOT NULL,
     PRIMARY KEY (organization_id, account_id, principal)
   )`,
  // Goes up with every change to an organization, so that what is known of it is known to be so still.
  `ALTER TABLE organizations ADD COLUMN revision BIGINT NOT NULL DEFAULT 0`,
  `CREATE TABLE iam_login_profiles (
     user_id TEXT PRIMARY KEY REFERENCES iam_entities (id),
     hash TEXT NOT NULL,
     created_at_ms BIGINT NOT NULL,
     is_reset_required INTEGER NOT NULL CHECK (is_reset_required IN (0, 1))
   )`,

  `CREATE INDEX event_deliveries_by_resource
     ON event_deliveries (subscription_id, resource_id, state, position)`,
  `CREATE TABLE fast_launch_images (
     image_id TEXT NOT NULL,
     account_id TEXT NOT NULL,
     region TEXT NOT NULL,
     state TEXT NOT NULL CHECK (
       state IN (
         'enabling', 'enabling-failed', 'enabled', 'enabled-failed', 'disabling', 'disabling-failed'
       )
     ),
     state_since_ms BIGINT NOT NULL,
     reason TEXT NOT NULL,
     target_count INTEGER NOT NULL,
     parallel_max INTEGER NOT NULL,
     is_forced INTEGER NOT NULL CHECK (is_forced IN (0, 1)),
     PRIMARY KEY (image_id, account_id)
   )`,
  `CREATE INDEX fast_launch_images_by_owner ON fast_launch_images (account_id, region)`,
  `CREATE TABLE fast_launch_reserves (
     instance_id TEXT PRIMARY KEY,
     image_id TEXT NOT NULL,
     account_id TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('preparing', 'capturing', 'ready')),
     snapshot_id TEXT,
     begun_at_ms BIGINT NOT NULL,
     CHECK ((state = 'preparing') = (snapshot_id IS NULL)),
     FOREIGN KEY (image_id, account_id) REFERENCES fast_launch_images (image_id, account_id)
   )`,
  `CREATE INDEX fast_launch_reserves_by_image ON fast_launch_reserves (image_id, account_id)`,
  `ALTER TABLE volumes ADD COLUMN is_fast_restored INTEGER NOT NULL DEFAULT 0
     CHECK (is_fast_restored IN (0, 1))`,
  `CREATE TABLE launch_roots (
     task_id TEXT PRIMARY KEY,
     instance_id TEXT NOT NULL REFERENCES launches (instance_id) ON DELETE CASCADE,
     image_id TEXT,
     image_name TEXT,
     image_owner_id TEXT,
     snapshot_id TEXT,
     volume_id TEXT NOT NULL,
     replaced_at_ms BIGINT NOT NULL
   )`,
  `CREATE INDEX launch_roots_by_instance ON launch_roots (instance_id)`,
  `CREATE INDEX launch_roots_by_image ON launch_roots (image_id)`,
  `ALTER TABLE fast_restores ADD COLUMN reason TEXT`,
  `ALTER TABLE volume_attachments ADD COLUMN failure TEXT`,
  `ALTER TABLE instances ADD COLUMN ena_support INTEGER NOT NULL DEFAULT 1 CHECK (ena_support IN (0, 1))`,
]
