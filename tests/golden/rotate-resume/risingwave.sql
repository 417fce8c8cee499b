-- AlterSink tablesync.k_shop_orders_740a3200_v2: resume the sink
ALTER SINK "tablesync"."k_shop_orders_740a3200_v2" SET sink_rate_limit TO DEFAULT;
