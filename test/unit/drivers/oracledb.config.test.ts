import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../../src/drivers/oracledb/config.ts'
import { type OracleConfig, tagChange } from '../../../src/drivers/oracledb/index.ts'

const attributesOf = (config: string | OracleConfig) => resolveConfig(config).attributes()

describe('an Oracle URL', () => {
  test('is user, password and an Easy Connect string', async () => {
    expect(await attributesOf('oracle://app:s%40cret@db.internal:1522/shop.example')).toEqual({
      user: 'app',
      password: 's@cret',
      connectString: 'db.internal:1522/shop.example',
      connectTimeout: 10,
    })
  })

  test('has a default port, IPv6 in brackets, and no user where the wallet says it', async () => {
    expect((await attributesOf('oracle://db/shop')).connectString).toBe('db:1521/shop')
    expect((await attributesOf('oracle://[::1]:1600/shop')).connectString).toBe('[::1]:1600/shop')
    expect(await attributesOf('oracle://db/shop')).not.toHaveProperty('user')
  })

  test('keeps our parameters for us and leaves the rest to Easy Connect', async () => {
    const url = 'oracle://a:b@db/shop:pooled?retry_count=3&stmtCacheSize=50&callTimeout=900&connectTimeout=4'
    expect(await attributesOf(url)).toMatchObject({
      connectString: 'db:1521/shop:pooled?retry_count=3',
      stmtCacheSize: 50,
      connectTimeout: 4,
    })
    expect(resolveConfig(url).callTimeout).toBe(900)
  })

  test.each([
    'oracle://a:s3cret/x@db/shop',
    'oracle://a:s3cret@db',
    'oracle://a:s3cret@db:1521/',
    'oracle://a:s3cret%zz@db/shop',
    'oracle://a:s3cret@db/shop?callTimeout=soon',
    'oracle://a:s3cret@db/shop\n',
  ])('that is none is refused, and not shown: %j', (url) => {
    let thrown: Error | undefined
    try {
      resolveConfig(url)
    } catch (error) {
      thrown = error as Error
    }
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION' })
    expect(thrown?.message).not.toContain('s3cret')
  })
})

describe('a config', () => {
  test('passes what it does not know to the package', async () => {
    const config = { connectString: 'wallet_alias', walletLocation: '/w', walletPassword: 'w' }
    expect(await attributesOf(config)).toEqual({ ...config, connectTimeout: 10 })
  })

  test('asks for the password at every connect', async () => {
    let asked = 0
    const target = resolveConfig({ connectString: 'db/shop', password: async () => `token ${++asked}` })
    expect((await target.attributes()).password).toBe('token 1')
    expect((await target.attributes()).password).toBe('token 2')
  })

  test.each([
    [{ connectString: 'db/shop', poolMax: 4 }, 'poolMax'],
    [{ connectString: 'db/shop', queueTimeout: 4 }, 'queueTimeout'],
    [{ connectString: 'db/shop', sessionCallback: () => undefined }, 'sessionCallback'],
    [{ connectString: 'db/shop', tag: 'a=b' }, 'tag'],
    [{ user: 'a' }, 'connectString'],
    [{ connectString: 'db/shop', user: 7 }, 'user'],
    [{ connectString: 'db/shop', password: 7 }, 'password'],
    [{ connectString: 'db/shop', callTimeout: -1 }, 'callTimeout'],
    [{ connectString: 'db/shop', stmtCacheSize: 1.5 }, 'stmtCacheSize'],
    [{ connectString: 'db/shop', lobs: 'streams' }, 'lobs'],
    [{ connectString: 'db/shop', drcp: true }, 'drcp'],
    [{ connectString: 'alias', drcp: {} }, 'drcp'],
    [{ connectString: '(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=x)))', drcp: {} }, 'drcp'],
    [{ connectString: 'db/shop', drcp: { purity: 'both' } }, 'purity'],
    [{ connectString: 'db/shop', drcp: { connectionClass: 'a)(b' } }, 'connectionClass'],
    [7, 'config'],
  ])('that cannot be is refused by the name of the option: %j', (config, option) => {
    expect(() => resolveConfig(config as never)).toThrow(expect.objectContaining({ option }))
  })

  test.each([
    ['db/shop', {}, 'db/shop:pooled'],
    ['db/shop:pooled', {}, 'db/shop:pooled'],
    ['db/shop:dedicated', {}, 'db/shop:pooled'],
    [
      'db/shop?retry_count=2',
      { connectionClass: 'SHOP' },
      'db/shop:pooled?retry_count=2&pool_connection_class=SHOP',
    ],
    ['db/shop', { purity: 'new' as const }, 'db/shop:pooled?pool_purity=new'],
  ])('with DRCP asks for a pooled server: %s %j', async (connectString, drcp, asked) => {
    expect((await attributesOf({ connectString, drcp })).connectString).toBe(asked)
  })
})

describe('labels as session tags', () => {
  test('tell what is to be set and what is left over', () => {
    expect(tagChange('LANG=de;ZONE=UTC', 'ZONE=UTC; MODE=x=y')).toEqual({
      set: { LANG: 'de' },
      unset: ['MODE'],
    })
    expect(tagChange('A=1', undefined)).toEqual({ set: { A: '1' }, unset: [] })
    expect(tagChange(undefined, 'A=1')).toEqual({ set: {}, unset: ['A'] })
  })
})
