import { describe, expect, test } from 'vitest'
import { readCommandLine, UsageError } from '../../../src/cli/command-line.ts'

describe('the command line', () => {
  test.each([
    [['demo'], { name: 'demo', url: undefined, quick: false }],
    [['demo', '--url', 'postgres:///', '--quick'], { name: 'demo', url: 'postgres:///', quick: true }],
    [['--quick', 'demo', '--url=postgres:///'], { name: 'demo', url: 'postgres:///', quick: true }],
    [['--help'], { name: 'help', topic: 'rockpool' }],
    [['help'], { name: 'help', topic: 'rockpool' }],
    [['help', 'demo'], { name: 'help', topic: 'demo' }],
    [['demo', '-h'], { name: 'help', topic: 'demo' }],
    [['-v'], { name: 'version' }],
  ])('%j is understood', (args, command) => {
    expect(readCommandLine(args)).toEqual(command)
  })

  test.each([
    [[], 'which command?'],
    [['bench'], 'unknown command "bench"'],
    [['bench', '--help'], 'unknown command "bench"'],
    [['demo', '--fast'], 'unknown option --fast'],
    [['demo', '--fast=1'], 'unknown option --fast'],
    [['demo', '-x'], 'unknown option -x'],
    [['demo', '--url'], '--url needs a value'],
    [['demo', '--url', '--quick'], '--url needs a value'],
    [['demo', '--quick=secret'], '--quick takes no value'],
    [['demo', 'postgres://me:secret@host/db'], 'demo takes no argument; a database is given as --url <url>'],
  ])('%j is refused', (args, message) => {
    const read = () => readCommandLine(args)
    expect(read).toThrow(UsageError)
    expect(read).toThrow(message)
    expect(read).not.toThrow('secret')
  })
})
