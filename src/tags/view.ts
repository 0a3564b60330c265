/** Tags as EC2 answers them with a resource. */
import type { Tag as TagOutput } from '@aws-sdk/client-ec2'
import type { Tag } from './tag.ts'

export function viewTags(tags: readonly Tag[] = []): TagOutput[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}
