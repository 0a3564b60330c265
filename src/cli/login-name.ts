/** Who logs in to machines of an image: what its starter image says, however often it was baked since. */
import { recipeNames, recipes } from '../catalog/recipe.ts'
import { callEc2, CallRefused } from './ec2-client.ts'
import type { Access } from './installation.ts'
import { itemsAt, textAt } from './xml.ts'

const stepsMax = 20

/** Nothing where the image does not come from a starter image, or its origin is gone. */
export async function findLoginName(access: Access, imageId: string): Promise<string | undefined> {
  let id = imageId
  for (let step = 0; id !== '' && step < stepsMax; step++) {
    const image = await describeImage(access, id)
    if (textAt(image, 'imageOwnerAlias') === 'amazon') {
      const name = textAt(image, 'name')
      const recipe = recipeNames.find((known) => name.startsWith(`${known}-`))
      return recipe && recipes[recipe].user
    }
    id = textAt(image, 'sourceImageId')
  }
  return undefined
}

async function describeImage(access: Access, id: string) {
  try {
    const answer = await callEc2(access, 'DescribeImages', { ImageId: [id] })
    return itemsAt(answer, 'imagesSet')[0]
  } catch (error) {
    if (error instanceof CallRefused) return undefined
    throw error
  }
}
