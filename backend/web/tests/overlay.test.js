import { describe, expect, it } from 'vitest'

import { isInPhoto, jointRadius, opacityOf, percentPlace, viewBoxOf } from '../src/pose/overlay.js'

const IMAGE = { width: 4000, height: 3000 }

it('draws in pixels of the photo', () => {
  expect(viewBoxOf(IMAGE)).toBe('0 0 4000 3000')
  expect(percentPlace({ x: 1000, y: 2250 }, IMAGE)).toEqual({ left: '25%', top: '75%' })
})

describe('jointRadius', () => {
  const radiusFor = (width, image = IMAGE) => jointRadius(image, { box: [0, 0, width, width * 2] })

  it('grows with the photo, so that it looks the same at the same size on the page', () => {
    const small = { width: 400, height: 300 }
    expect(jointRadius(IMAGE, { box: [0, 0, 3000, 3000] })).toBeCloseTo(
      10 * jointRadius(small, { box: [0, 0, 300, 300] }),
    )
  })

  it('shrinks for a rider who is small in the photo, but not to nothing', () => {
    expect(radiusFor(200)).toBeLessThan(radiusFor(1500))
    expect(radiusFor(0)).toBeGreaterThan(5)
  })
})

describe('opacityOf', () => {
  it('is full from one half on', () => {
    expect([0.5, 0.75, 1].map(opacityOf)).toEqual([1, 1, 1])
  })

  it('fades below and never vanishes', () => {
    const fading = [0.49, 0.3, 0.1, 0].map(opacityOf)
    expect(fading).toEqual([...fading].sort().reverse())
    expect(fading[0]).toBeLessThan(0.6)
    expect(fading.at(-1)).toBeGreaterThan(0)
  })
})

it('knows which points lie in the photo, its edges included', () => {
  expect(isInPhoto({ x: 4000, y: 0 }, IMAGE)).toBe(true)
  expect(isInPhoto({ x: 4001, y: 0 }, IMAGE)).toBe(false)
  expect(isInPhoto({ x: 10, y: -1 }, IMAGE)).toBe(false)
})
