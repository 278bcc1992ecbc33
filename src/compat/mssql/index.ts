import type * as mssql from 'mssql'
import { installed } from '../installed.ts'
import { around } from './around.ts'
import { rockpoolMssql } from './sql.ts'

/** All types of mssql's; what follows stands in their place. */
export type * from 'mssql'
export type { AroundOptions } from './around.ts'
export type { RockpoolConnectionPool } from './connection-pool.ts'
export type { RockpoolMssql } from './sql.ts'
export { rockpoolMssql } from './sql.ts'

const sql = installed(() => rockpoolMssql())
/** The types of mssql's, for those who write `sql.IResult` behind `import sql from`. */
declare namespace sql {
  export type ISqlType = mssql.ISqlType
  export type ISqlTypeWithNoParams = mssql.ISqlTypeWithNoParams
  export type ISqlTypeWithLength = mssql.ISqlTypeWithLength
  export type ISqlTypeWithScale = mssql.ISqlTypeWithScale
  export type ISqlTypeWithPrecisionScale = mssql.ISqlTypeWithPrecisionScale
  export type ISqlTypeWithTvpType = mssql.ISqlTypeWithTvpType
  export type ISqlTypeFactory = mssql.ISqlTypeFactory
  export type ISqlTypeFactoryWithNoParams = mssql.ISqlTypeFactoryWithNoParams
  export type ISqlTypeFactoryWithLength = mssql.ISqlTypeFactoryWithLength
  export type ISqlTypeFactoryWithScale = mssql.ISqlTypeFactoryWithScale
  export type ISqlTypeFactoryWithPrecisionScale = mssql.ISqlTypeFactoryWithPrecisionScale
  export type ISqlTypeFactoryWithTvpType = mssql.ISqlTypeFactoryWithTvpType
  export type Connection = mssql.Connection
  export type IColumnMetadata = mssql.IColumnMetadata
  export type IResult<T> = mssql.IResult<T>
  export type IBulkResult = mssql.IBulkResult
  export type IProcedureResult<T> = mssql.IProcedureResult<T>
  export type IRecordSet<T> = mssql.IRecordSet<T>
  export type IOptions = mssql.IOptions
  export type PoolOpts<T> = mssql.PoolOpts<T>
  export type config = mssql.config
  export type MSSQL_ERROR_CODE = mssql.MSSQL_ERROR_CODE
  export type MSSQLError = mssql.MSSQLError
  export type ConnectionPool = mssql.ConnectionPool
  export type ConnectionError = mssql.ConnectionError
  export type IColumnOptions = mssql.IColumnOptions
  export type IColumn = mssql.IColumn
  export type Table = mssql.Table
  export type IBulkOptions = mssql.IBulkOptions
  export type Request = mssql.Request
  export type RequestError = mssql.RequestError
  export type Transaction = mssql.Transaction
  export type TransactionError = mssql.TransactionError
  export type PreparedStatement = mssql.PreparedStatement
  export type PreparedStatementError = mssql.PreparedStatementError
}
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
export type ConnectionPool = mssql.ConnectionPool
export type Transaction = mssql.Transaction
export type Request = mssql.Request
export type PreparedStatement = mssql.PreparedStatement
export type ConnectionError = mssql.ConnectionError
export type TransactionError = mssql.TransactionError
export type RequestError = mssql.RequestError
export type PreparedStatementError = mssql.PreparedStatementError
export type MSSQLError = mssql.MSSQLError
export type Table = mssql.Table
