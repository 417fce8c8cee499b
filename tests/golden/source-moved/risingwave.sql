-- AlterSource tablesync.src_shop_0e20df70: give the CDC source its new address or account
ALTER SOURCE "tablesync"."src_shop_0e20df70" CONNECTOR WITH (hostname='mysql.shop.svc', port='3306', username='cdc', password='***');
