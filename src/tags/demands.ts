/** What tagging demands, of each resource that is tagged. */
import type { CreateTagsRequest, DeleteTagsRequest } from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { isEc2Type, tagsOfRequest } from '../iam/ec2-resources.ts'
import { type Asking, demandsOn } from '../iam/ec2-touched.ts'
import { onAnything } from '../iam/demand.ts'
import { kindOf } from '../lib/ids.ts'

export const taggingDemandsOf =
  (action: 'CreateTags' | 'DeleteTags') =>
  async (
    { Resources = [], Tags = [] }: CreateTagsRequest | DeleteTagsRequest,
    asking: Asking,
  ): Promise<readonly Demand[]> => {
    // What takes a tag away does not say what it has to be.
    const tags = Tags.map(({ Key: key = '', Value }) =>
      action === 'CreateTags' ? { key, value: Value ?? '' } : { key },
    )
    const demands: Demand[] = []
    for (const id of new Set(Resources)) {
      const type = kindOf(id)
      if (type === undefined || !isEc2Type(type)) demands.push(onAnything(`ec2:${action}`))
      else demands.push(...(await demandsOn(action, type, [id], asking, [tagsOfRequest(tags)])))
    }
    return demands.length > 0 ? demands : [onAnything(`ec2:${action}`)]
  }
