-- Schema orderbook: what Prisma cannot describe, and the grants of v402_orderbook.
ALTER TABLE orderbook.order_head
  ADD CONSTRAINT order_head_kind CHECK (kind IN ('sales_order', 'purchase_order')),
  ADD CONSTRAINT order_head_reference CHECK (reference ~ '^[A-Za-z0-9._:-]{1,64}$'),
  ADD CONSTRAINT order_head_contract_id CHECK (octet_length(contract_id) = 32),
  ADD CONSTRAINT order_head_currency CHECK (currency ~ '^[A-Z]{3}$'),
  ADD CONSTRAINT order_head_status CHECK (status IN ('open', 'fulfilled', 'cancelled')),
  ADD CONSTRAINT order_head_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL));

ALTER TABLE orderbook.order_line
  ADD CONSTRAINT order_line_quantity CHECK (quantity > 0),
  ADD CONSTRAINT order_line_price CHECK (unit_price >= 0 AND price_basis > 0);

ALTER TABLE orderbook.order_delivery
  ADD CONSTRAINT order_delivery_window CHECK (not_before <= not_after);

ALTER TABLE orderbook.order_delivery_item
  ADD CONSTRAINT order_delivery_item_quantity CHECK (quantity > 0);

-- Order numbers run on per kind; one that a failed create drew stays unused, as in any order system.
CREATE SEQUENCE orderbook.sales_order_number;
CREATE SEQUENCE orderbook.purchase_order_number;
CREATE FUNCTION orderbook.next_order_number(kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  number text := nextval(format('orderbook.%I', kind || '_number'));
BEGIN
  RETURN CASE kind WHEN 'sales_order' THEN 'SO-' ELSE 'PO-' END || lpad(number, greatest(6, length(number)), '0');
END
$$;
REVOKE EXECUTE ON FUNCTION orderbook.next_order_number FROM PUBLIC;
GRANT EXECUTE ON FUNCTION orderbook.next_order_number TO v402_orderbook;

-- Nothing is ever deleted, and of an order only its status moves.
GRANT USAGE ON SCHEMA orderbook TO v402_orderbook;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA orderbook TO v402_orderbook;
GRANT UPDATE (status, cancel_reason, cancelled_at) ON orderbook.order_head TO v402_orderbook;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA orderbook TO v402_orderbook;
