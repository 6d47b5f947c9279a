import { SHOP_AFTER, SHOP_EVENT_TRIGGER } from "./shop-after.ts";
import { shopCore } from "./shop-core.ts";
import { SHOP_ODD_NAMES } from "./shop-odd-names.ts";
import { shopOddTables } from "./shop-odd-tables.ts";
import { SHOP_ODD_VALUES } from "./shop-odd-values.ts";
import { shopPartitions } from "./shop-partitions.ts";
import { SHOP_TYPES } from "./shop-types.ts";

/**
 * Fills an empty database with a small shop that holds one of nearly everything a database can hold, traps for a careless
 * copier included. Needs a superuser, PostgreSQL 12 to 18 and encoding UTF8; creates no roles. The same rows every time.
 *
 * @param query Runs one text of several statements (the simple protocol), whatever the session's `search_path`.
 * @param scale 1 is about 200,000 rows; the odd tables do not grow.
 */
export async function fillShop(query: (sql: string) => Promise<unknown>, scale = 1): Promise<void> {
  const rows = (atScaleOne: number) => Math.max(50, Math.round(atScaleOne * scale));
  await query(SHOP_TYPES);
  await query(shopCore(rows));
  await query(shopPartitions(rows));
  await query(shopOddTables(rows));
  await query(SHOP_ODD_NAMES);
  await query(SHOP_ODD_VALUES);
  await query(SHOP_AFTER);
  // Last, for it writes down every table that is created after it.
  await query(SHOP_EVENT_TRIGGER);
}
