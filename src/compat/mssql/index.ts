import type * as mssql from 'mssql'
import { installed } from '../installed.ts'
import { around } from './around.ts'
import type { RockpoolConnectionPool } from './connection-pool.ts'
import { rockpoolMssql } from './sql.ts'

/** All types of mssql's; what follows stands in their place. */
export type * from 'mssql'
export type { AroundOptions } from './around.ts'
export type { RockpoolConnectionPool } from './connection-pool.ts'
export type { RockpoolMssql } from './sql.ts'
export { rockpoolMssql } from './sql.ts'

const sql = installed(() => rockpoolMssql())
export default sql

/** An existing pool of tedious connections, as a connected ConnectionPool. */
export const mssqlPool = around

// Under `require` the package has these names; under `import` it has none but the default.
export const {
  ConnectionPool,
  connect,
  Transaction,
  Request,
  PreparedStatement,
  ConnectionError,
  TransactionError,
  RequestError,
  PreparedStatementError,
  MSSQLError,
  Table,
  ISOLATION_LEVEL,
  TYPES,
  CHANNELS,
  MAX,
  map,
  getTypeByValue,
  close,
  on,
  removeListener,
  off,
  query,
  batch,
  valueHandler,
  VarChar,
  NVarChar,
  Text,
  Int,
  TinyInt,
  SmallInt,
  Bit,
  Float,
  Numeric,
  Decimal,
  Real,
  DateTime,
  DateTime2,
  DateTimeOffset,
  SmallDateTime,
  Time,
  UniqueIdentifier,
  SmallMoney,
  Money,
  Binary,
  VarBinary,
  Image,
  Xml,
  Char,
  NChar,
  NText,
  TVP,
  UDT,
  Geography,
  Geometry,
  Variant,
  VARCHAR,
  NVARCHAR,
  TEXT,
  INT,
  BIGINT,
  TINYINT,
  SMALLINT,
  BIT,
  FLOAT,
  NUMERIC,
  DECIMAL,
  REAL,
  DATE,
  DATETIME,
  DATETIME2,
  DATETIMEOFFSET,
  SMALLDATETIME,
  TIME,
  UNIQUEIDENTIFIER,
  SMALLMONEY,
  MONEY,
  BINARY,
  VARBINARY,
  IMAGE,
  XML,
  CHAR,
  NCHAR,
  NTEXT,
  GEOGRAPHY,
  GEOMETRY,
  VARIANT,
} = sql
const { Date: date, BigInt: bigInt, Promise: promise } = sql

export { bigInt as BigInt, date as Date, promise as Promise }
export type ConnectionPool = RockpoolConnectionPool
export type Transaction = mssql.Transaction
export type Request = mssql.Request
export type PreparedStatement = mssql.PreparedStatement
export type ConnectionError = mssql.ConnectionError
export type TransactionError = mssql.TransactionError
export type RequestError = mssql.RequestError
export type PreparedStatementError = mssql.PreparedStatementError
export type MSSQLError = mssql.MSSQLError
export type Table = mssql.Table
