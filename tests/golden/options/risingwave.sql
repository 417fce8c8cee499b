-- CreateSchema cdc_eu: create the RisingWave schema
CREATE SCHEMA IF NOT EXISTS "cdc_eu";
-- CreateSource cdc_eu.src_shop_0e20df70: create the shared CDC source
CREATE SOURCE "cdc_eu"."src_shop_0e20df70" WITH (connector='mysql-cdc', hostname='mysql.shop.svc', port='3317', username='cdc', password='***', database.name='shop', server.id='7001', ssl.mode='required', debezium.bigint.unsigned.handling.mode='precise', debezium.schema.history.internal.skip.unparseable.ddl='true');
-- CreateTable cdc_eu.t_shop_orders_740a3200: create the CDC table [parallelism 4]
CREATE TABLE "cdc_eu"."t_shop_orders_740a3200" ("id" BIGINT, "customer" VARCHAR, "amount" DECIMAL, PRIMARY KEY ("id")) WITH (snapshot.batch_size='500', backfill_rate_limit='2000') FROM "cdc_eu"."src_shop_0e20df70" TABLE 'shop.orders';
-- CommentTable cdc_eu.t_shop_orders_740a3200: mark the CDC table as ours
COMMENT ON TABLE "cdc_eu"."t_shop_orders_740a3200" IS 'tablesync:v1 uid=7b6c2f10-3d5e-4a77-9c1b-0d2f6a5e4c33 hash=d122a1cd5d49 sink=1';
-- CreateSink cdc_eu.k_shop_orders_740a3200_v1: create the sink [background] [parallelism 4]
CREATE SINK "cdc_eu"."k_shop_orders_740a3200_v1" AS SELECT "id", "customer", "amount" FROM "cdc_eu"."t_shop_orders_740a3200" WITH (connector='starrocks', type='upsert', primary_key='id', starrocks.host='fe.warehouse.svc', starrocks.mysqlport='9031', starrocks.httpport='8131', starrocks.user='loader', starrocks.password='***', starrocks.database='ods', starrocks.table='shop_orders', commit_checkpoint_interval='3', starrocks.max_batch_size_bytes='50000000');
