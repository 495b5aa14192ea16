/**
 * The head and all lists in one statement. Where the reference is taken, `head` stays empty and so does all that hangs
 * on it. Lists come as one array a column; `WITH ORDINALITY` numbers them from 1.
 */
export const INSERT_ORDER = `
  WITH head AS (
    INSERT INTO orderbook.order_head (kind, reference, order_number, contract_id, buyer, seller, currency, total)
    VALUES ($1, $2, orderbook.next_order_number($1), $3, $4, $5, $6, $7)
    ON CONFLICT (kind, reference) DO NOTHING
    RETURNING id, order_number
  ), lines AS (
    INSERT INTO orderbook.order_line
      (order_id, position, line_id, sku, description, quantity, unit, unit_price, price_basis, amount)
    SELECT head.id, l.position, l.line_id, l.sku, l.description, l.quantity, l.unit, l.unit_price, l.price_basis, l.amount
    FROM head, unnest($8::text[], $9::text[], $10::text[], $11::numeric[], $12::text[], $13::numeric[], $14::numeric[],
      $15::numeric[]) WITH ORDINALITY
      AS l (line_id, sku, description, quantity, unit, unit_price, price_basis, amount, position)
  ), charges AS (
    INSERT INTO orderbook.order_charge (order_id, position, charge_id, type, amount, rate, category)
    SELECT head.id, c.position, c.charge_id, c.type, c.amount, c.rate, c.category
    FROM head, unnest($16::text[], $17::text[], $18::numeric[], $19::numeric[], $20::text[]) WITH ORDINALITY
      AS c (charge_id, type, amount, rate, category, position)
  ), deliveries AS (
    INSERT INTO orderbook.order_delivery (order_id, position, delivery_id, not_before, not_after)
    SELECT head.id, d.position, d.delivery_id, d.not_before, d.not_after
    FROM head, unnest($21::text[], $22::date[], $23::date[]) WITH ORDINALITY
      AS d (delivery_id, not_before, not_after, position)
  ), items AS (
    INSERT INTO orderbook.order_delivery_item (order_id, delivery_position, position, line_position, quantity)
    SELECT head.id, i.delivery_position, i.position, i.line_position, i.quantity
    FROM head, unnest($24::int[], $25::int[], $26::int[], $27::numeric[])
      AS i (delivery_position, position, line_position, quantity)
  )
  SELECT order_number FROM head`;

export const FIND_ORDER = `
  SELECT order_number, status FROM orderbook.order_head WHERE kind = $1 AND reference = $2`;

/** Decimals leave as text without trailing zeros: no float ever sees them. */
export const READ_ORDER = `
  SELECT o.order_number, encode(o.contract_id, 'hex') AS contract_id, o.buyer, o.seller, o.currency,
    trim_scale(o.total)::text AS total,
    (SELECT json_agg(json_build_object('id', line_id, 'sku', sku, 'quantity', trim_scale(quantity)::text, 'unit', unit,
        'unitPrice', trim_scale(unit_price)::text, 'amount', trim_scale(amount)::text) ORDER BY position)
      FROM orderbook.order_line WHERE order_id = o.id) AS lines,
    (SELECT json_agg(json_build_object('id', charge_id, 'type', type, 'amount', trim_scale(amount)::text) ORDER BY position)
      FROM orderbook.order_charge WHERE order_id = o.id) AS charges,
    (SELECT json_agg(json_build_object('id', delivery_id, 'notBefore', to_char(not_before, 'YYYY-MM-DD'),
        'notAfter', to_char(not_after, 'YYYY-MM-DD'), 'items',
        (SELECT json_agg(json_build_object('line', l.line_id, 'quantity', trim_scale(i.quantity)::text) ORDER BY i.position)
          FROM orderbook.order_delivery_item i
          JOIN orderbook.order_line l ON l.order_id = i.order_id AND l.position = i.line_position
          WHERE i.order_id = d.order_id AND i.delivery_position = d.position)) ORDER BY position)
      FROM orderbook.order_delivery d WHERE order_id = o.id) AS deliveries
  FROM orderbook.order_head o WHERE o.kind = $1 AND o.reference = $2`;

export const CANCEL_ORDER = `
  UPDATE orderbook.order_head SET status = 'cancelled', cancel_reason = $3, cancelled_at = clock_timestamp()
  WHERE kind = $1 AND reference = $2 AND status = 'open'`;
