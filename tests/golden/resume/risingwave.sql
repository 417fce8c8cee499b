-- AlterSink tablesync.k_shop_orders_740a3200_v1: resume the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" SET sink_rate_limit TO DEFAULT;
-- AlterSink tablesync.k_shop_orders_740a3200_v1: set how often the sink commits
ALTER SINK "tablesync"."k_shop_orders_740a3200_v1" CONNECTOR WITH (commit_checkpoint_interval='10');
