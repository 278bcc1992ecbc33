import { expect, test } from 'vitest'
import { FakeServer, testDriver } from '../../src/testing/index.ts'
import { fakeSubject } from '../support/fake-subject.ts'
import { vitestRunner } from '../support/vitest-runner.ts'

const server = new FakeServer({ record: null })

testDriver('fake', fakeSubject(server), vitestRunner)

test('the pool did nothing to the fake server that a correct pool never does', () => {
  expect(server.misuse).toEqual([])
})
