import type * as original from 'oracledb'
import { installed } from '../installed.ts'
import { around } from './around.ts'
import { rockpoolOracledb } from './rockpool-oracledb.ts'

/** Of oracledb's types those that programs name; the others are where they were. */
export type {
  BindParameters,
  Connection,
  ExecuteManyOptions,
  ExecuteOptions,
  Lob,
  Metadata,
  PoolAttributes,
  Result,
  ResultSet,
} from 'oracledb'
export type { AroundOptions } from './around.ts'
export type { OraclePoolAttributes } from './attributes.ts'
export { OraclePoolError } from './errors.ts'
export type { Reconfiguration } from './oracle-pool.ts'
export { OraclePool } from './oracle-pool.ts'
export type { RockpoolOracledb } from './rockpool-oracledb.ts'
export { rockpoolOracledb } from './rockpool-oracledb.ts'

/** An existing pool of oracledb connections, as a pool of oracledb's. */
export const oraclePool = around

const oracledb = installed(() => rockpoolOracledb())
/** The types of oracledb's, for those who write `oracledb.Pool` behind `import oracledb from`. */
declare namespace oracledb {
  export type AccessToken = original.AccessToken
  export type AccessTokenConfigAzure = original.AccessTokenConfigAzure
  export type AccessTokenConfigOCI = original.AccessTokenConfigOCI
  export type AdvancedQueue<T> = original.AdvancedQueue<T>
  export type AdvancedQueueMessage<T> = original.AdvancedQueueMessage<T>
  export type AppContextKeyValue = original.AppContextKeyValue
  export type AppContextOpts = original.AppContextOpts
  export type BTreeIndex = original.BTreeIndex
  export type BTreeIndexField = original.BTreeIndexField
  export type BindDefinition = original.BindDefinition
  export type BindParameter = original.BindParameter
  export type BindParameters = original.BindParameters
  export type CloseConnectionOptions = original.CloseConnectionOptions
  export type Connection = original.Connection
  export type ConnectionAttributes = original.ConnectionAttributes
  export type DBCredentials = original.DBCredentials
  export type DBError = original.DBError
  export type DBObjectClass<T> = original.DBObjectClass<T>
  export type DBObject_IN<T> = original.DBObject_IN<T>
  export type DBObject_OUT<T> = original.DBObject_OUT<T>
  export type DbType = original.DbType
  export type DequeueOptions = original.DequeueOptions
  export type DirectPathLoadColumns = original.DirectPathLoadColumns
  export type DirectPathLoadData = original.DirectPathLoadData
  export type DropCollectionResult = original.DropCollectionResult
  export type DropIndexOptions = original.DropIndexOptions
  export type EndUserSecurityContext = original.EndUserSecurityContext
  export type EndUserSecurityContextOptions = original.EndUserSecurityContextOptions
  export type EnqueueMessage<T> = original.EnqueueMessage<T>
  export type EnqueueOptions = original.EnqueueOptions
  export type ExecuteManyOptions = original.ExecuteManyOptions
  export type ExecuteOptions = original.ExecuteOptions
  export type GetAdvancedQueueOptions = original.GetAdvancedQueueOptions
  export type GetPooledConnectionOptions = original.GetPooledConnectionOptions
  export type InitialiseOptions = original.InitialiseOptions
  export type IntervalDS = original.IntervalDS
  export type IntervalYM = original.IntervalYM
  export type JsonId = original.JsonId
  export type Lob = original.Lob
  export type Metadata<T> = original.Metadata<T>
  export type Pipeline = original.Pipeline
  export type PipelineBindParameters = original.PipelineBindParameters
  export type PipelineExecuteManyBindParameters = original.PipelineExecuteManyBindParameters
  export type PipelineExecuteManyOptions = original.PipelineExecuteManyOptions
  export type PipelineExecuteOptions = original.PipelineExecuteOptions
  export type PipelineOperationResult = original.PipelineOperationResult
  export type Pool = original.Pool
  export type PoolAttributes = original.PoolAttributes
  export type PoolStatistics = original.PoolStatistics
  export type QueryStream<T> = original.QueryStream<T>
  export type Result<T> = original.Result<T>
  export type ResultCallback<T> = original.ResultCallback<T>
  export type ResultSet<T> = original.ResultSet<T>
  export type Results<T> = original.Results<T>
  export type ResumeSessionlessTxnOpts = original.ResumeSessionlessTxnOpts
  export type SearchIndex = original.SearchIndex
  export type SessionlessTransactionOpts = original.SessionlessTransactionOpts
  export type SodaCollection = original.SodaCollection
  export type SodaCollectionNamesOptions = original.SodaCollectionNamesOptions
  export type SodaCollectionOptions = original.SodaCollectionOptions
  export type SodaCountResult = original.SodaCountResult
  export type SodaDatabase = original.SodaDatabase
  export type SodaDocument = original.SodaDocument
  export type SodaDocumentCursor = original.SodaDocumentCursor
  export type SodaDocumentOptions = original.SodaDocumentOptions
  export type SodaMetadata = original.SodaMetadata
  export type SodaOperation = original.SodaOperation
  export type SodaRemoveResult = original.SodaRemoveResult
  export type SodaReplaceOneResult = original.SodaReplaceOneResult
  export type SparseVector<T extends original.TypedArray = Float64Array> = original.SparseVector<T>
  export type SparseVectorInputObject = original.SparseVectorInputObject
  export type SparseVectorType = original.SparseVectorType
  export type SpatialIndex = original.SpatialIndex
  export type StartupOptions = original.StartupOptions
  export type StatementInfo = original.StatementInfo
  export type Statistics = original.Statistics
  export type SubscribeOptions = original.SubscribeOptions
  export type Subscription = original.Subscription
  export type SubscriptionMessage = original.SubscriptionMessage
  export type SubscriptionTable = original.SubscriptionTable
}
export default oracledb

export const createPool = oracledb.createPool
export const getPool = oracledb.getPool
export const getConnection = oracledb.getConnection
