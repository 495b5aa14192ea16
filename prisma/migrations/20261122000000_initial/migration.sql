-- Generated from prisma/schema. Hand-written SQL follows below it.
-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "orderbook";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "v402";

-- CreateTable
CREATE TABLE "orderbook"."order_head" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "reference" TEXT NOT NULL,
    "order_number" TEXT NOT NULL,
    "contract_id" BYTEA NOT NULL,
    "buyer" TEXT NOT NULL,
    "seller" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "total" DECIMAL(27,9) NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'open',
    "cancel_reason" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "cancelled_at" TIMESTAMPTZ(6),

    CONSTRAINT "order_head_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "orderbook"."order_line" (
    "order_id" BIGINT NOT NULL,
    "position" INTEGER NOT NULL,
    "line_id" TEXT NOT NULL,
    "sku" TEXT NOT NULL,
    "description" TEXT,
    "quantity" DECIMAL(27,9) NOT NULL,
    "unit" TEXT NOT NULL,
    "unit_price" DECIMAL(27,9) NOT NULL,
    "price_basis" DECIMAL(27,9) NOT NULL,
    "amount" DECIMAL(27,9) NOT NULL,

    CONSTRAINT "order_line_pkey" PRIMARY KEY ("order_id","position")
);

-- CreateTable
CREATE TABLE "orderbook"."order_charge" (
    "order_id" BIGINT NOT NULL,
    "position" INTEGER NOT NULL,
    "charge_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "amount" DECIMAL(27,9) NOT NULL,
    "rate" DECIMAL(27,9),
    "category" TEXT,

    CONSTRAINT "order_charge_pkey" PRIMARY KEY ("order_id","position")
);

-- CreateTable
CREATE TABLE "orderbook"."order_delivery" (
    "order_id" BIGINT NOT NULL,
    "position" INTEGER NOT NULL,
    "delivery_id" TEXT NOT NULL,
    "not_before" DATE NOT NULL,
    "not_after" DATE NOT NULL,

    CONSTRAINT "order_delivery_pkey" PRIMARY KEY ("order_id","position")
);

-- CreateTable
CREATE TABLE "orderbook"."order_delivery_item" (
    "order_id" BIGINT NOT NULL,
    "delivery_position" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "line_position" INTEGER NOT NULL,
    "quantity" DECIMAL(27,9) NOT NULL,

    CONSTRAINT "order_delivery_item_pkey" PRIMARY KEY ("order_id","delivery_position","position")
);

-- CreateTable
CREATE TABLE "v402"."deal" (
    "key" BYTEA NOT NULL,
    "negotiation_id" TEXT NOT NULL,
    "buyer" TEXT NOT NULL,
    "seller" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "deal_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "v402"."settlement" (
    "contract_id" BYTEA NOT NULL,
    "deal_key" BYTEA NOT NULL,
    "current" BOOLEAN NOT NULL,
    "supersedes" BYTEA,
    "state" TEXT NOT NULL,
    "short_ref" TEXT NOT NULL,
    "order_reference" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "total" DECIMAL(27,9) NOT NULL,
    "agreed_at" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "canonical" BYTEA NOT NULL,
    "traceparent" TEXT,
    "settlement_sequence" INTEGER NOT NULL DEFAULT 0,
    "payment_sequence" INTEGER NOT NULL DEFAULT 0,
    "delivery_sequence" INTEGER NOT NULL DEFAULT 0,
    "last_event_at" TIMESTAMPTZ(6),
    "duplicates" INTEGER NOT NULL DEFAULT 0,
    "accepted_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "settlement_pkey" PRIMARY KEY ("contract_id")
);

-- CreateTable
CREATE TABLE "v402"."raw_message" (
    "digest" BYTEA NOT NULL,
    "size" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,
    "truncated" BOOLEAN NOT NULL,
    "stored_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "raw_message_pkey" PRIMARY KEY ("digest")
);

-- CreateTable
CREATE TABLE "v402"."decision" (
    "id" BIGSERIAL NOT NULL,
    "outcome" TEXT NOT NULL,
    "code" TEXT,
    "contract_id" BYTEA,
    "raw_digest" BYTEA NOT NULL,
    "topic" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "kafka_offset" BIGINT NOT NULL,
    "arrival" TIMESTAMPTZ(6) NOT NULL,
    "arrival_source" TEXT NOT NULL,
    "registry_digest" BYTEA NOT NULL,
    "keys" JSONB NOT NULL,
    "code_version" TEXT NOT NULL,
    "decided_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "decision_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."rejection" (
    "raw_digest" BYTEA NOT NULL,
    "code" TEXT NOT NULL,
    "fault_at" TEXT,
    "contract_id" BYTEA,
    "negotiation_id" TEXT,
    "occurrences" INTEGER NOT NULL DEFAULT 1,
    "rejected_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "rejection_pkey" PRIMARY KEY ("raw_digest","code")
);

-- CreateTable
CREATE TABLE "v402"."quarantine" (
    "id" UUID NOT NULL,
    "reason" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "contract_id" BYTEA,
    "conflicts_with" BYTEA,
    "raw_digest" BYTEA,
    "side" TEXT,
    "hold_id" UUID,
    "occurrences" INTEGER NOT NULL DEFAULT 1,
    "quarantined_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "resolution" TEXT,
    "resolved_by" TEXT,
    "resolved_at" TIMESTAMPTZ(6),

    CONSTRAINT "quarantine_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."hold" (
    "id" UUID NOT NULL,
    "deal_key" BYTEA NOT NULL,
    "contract_id" BYTEA NOT NULL,
    "reason" TEXT NOT NULL,
    "evidence" JSONB NOT NULL,
    "placed_by" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "released_by" TEXT,
    "released_at" TIMESTAMPTZ(6),
    "resolution" TEXT,

    CONSTRAINT "hold_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."order_placement" (
    "contract_id" BYTEA NOT NULL,
    "side" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "unknowns" INTEGER NOT NULL DEFAULT 0,
    "look_up_not_before" TIMESTAMPTZ(6),
    "order_system" TEXT,
    "order_number" TEXT,
    "order_url" TEXT,
    "code" TEXT,
    "ordered_at" TIMESTAMPTZ(6),
    "redrives" INTEGER NOT NULL DEFAULT 0,
    "unknowns_before" INTEGER NOT NULL DEFAULT 0,
    "adopted_from" BYTEA,

    CONSTRAINT "order_placement_pkey" PRIMARY KEY ("contract_id","side")
);

-- CreateTable
CREATE TABLE "v402"."payment_leg" (
    "contract_id" BYTEA NOT NULL,
    "side" TEXT NOT NULL,
    "leg_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "trigger" TEXT NOT NULL,
    "days" INTEGER NOT NULL,
    "rail" TEXT NOT NULL,
    "amount" DECIMAL(27,9) NOT NULL,
    "currency" TEXT NOT NULL,
    "triggered_at" TIMESTAMPTZ(6),
    "due_date" DATE,
    "code" TEXT,

    CONSTRAINT "payment_leg_pkey" PRIMARY KEY ("contract_id","side","leg_id")
);

-- CreateTable
CREATE TABLE "v402"."delivery" (
    "contract_id" BYTEA NOT NULL,
    "side" TEXT NOT NULL,
    "delivery_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 0,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "not_before" DATE NOT NULL,
    "not_after" DATE NOT NULL,
    "code" TEXT,

    CONSTRAINT "delivery_pkey" PRIMARY KEY ("contract_id","side","delivery_id")
);

-- CreateTable
CREATE TABLE "v402"."work" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "contract_id" BYTEA NOT NULL,
    "side" TEXT NOT NULL,
    "subject_id" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6),
    "leased_by" TEXT,

    CONSTRAINT "work_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."job" (
    "name" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(6) NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(6),
    "leased_by" TEXT,
    "finished_at" TIMESTAMPTZ(6),

    CONSTRAINT "job_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "v402"."event" (
    "id" UUID NOT NULL,
    "stream" BYTEA NOT NULL,
    "type" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "sequence" INTEGER,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "bytes" BYTEA NOT NULL,
    "position" BIGSERIAL NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."outbox" (
    "id" BIGSERIAL NOT NULL,
    "event_id" UUID NOT NULL,
    "stream" BYTEA NOT NULL,
    "topic" TEXT NOT NULL,
    "shard" SMALLINT NOT NULL,

    CONSTRAINT "outbox_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."relay_shard" (
    "shard" SMALLINT NOT NULL,
    "owner" TEXT,
    "lease_until" TIMESTAMPTZ(6),

    CONSTRAINT "relay_shard_pkey" PRIMARY KEY ("shard")
);

-- CreateTable
CREATE TABLE "v402"."relay" (
    "owner" TEXT NOT NULL,
    "live_until" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "relay_pkey" PRIMARY KEY ("owner")
);

-- CreateTable
CREATE TABLE "v402"."parked_stream" (
    "stream" BYTEA NOT NULL,
    "event_id" UUID NOT NULL,
    "code" TEXT NOT NULL,
    "parked_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "parked_stream_pkey" PRIMARY KEY ("stream")
);

-- CreateTable
CREATE TABLE "v402"."input_offset" (
    "topic" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "next_offset" BIGINT NOT NULL,
    "last_offset" BIGINT,
    "last_digest" BYTEA,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "input_offset_pkey" PRIMARY KEY ("topic","partition")
);

-- CreateTable
CREATE TABLE "v402"."audit_entry" (
    "sequence" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "actor" TEXT NOT NULL,
    "login" TEXT NOT NULL DEFAULT session_user,
    "action" TEXT NOT NULL,
    "subject" UUID NOT NULL,
    "contract_id" BYTEA,
    "reason" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "previous" BYTEA NOT NULL,
    "digest" BYTEA NOT NULL,

    CONSTRAINT "audit_entry_pkey" PRIMARY KEY ("sequence")
);

-- CreateTable
CREATE TABLE "v402"."approval" (
    "id" UUID NOT NULL,
    "case_id" UUID NOT NULL,
    "action" TEXT NOT NULL,
    "options" JSONB NOT NULL,
    "amount" DECIMAL(27,9),
    "currency" TEXT,
    "requested_by" TEXT NOT NULL,
    "requested_login" TEXT NOT NULL DEFAULT session_user,
    "reason" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "decided_by" TEXT,
    "decided_login" TEXT,
    "decided_at" TIMESTAMPTZ(6),
    "outcome" TEXT,

    CONSTRAINT "approval_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."input_loss" (
    "id" BIGSERIAL NOT NULL,
    "code" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "partition" INTEGER NOT NULL,
    "first_offset" BIGINT NOT NULL,
    "next_offset" BIGINT,
    "known_at" TIMESTAMPTZ(6) NOT NULL,
    "noticed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT clock_timestamp(),
    "process" TEXT NOT NULL,

    CONSTRAINT "input_loss_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "v402"."reconciliation" (
    "id" BIGSERIAL NOT NULL,
    "window_from" TIMESTAMPTZ(6) NOT NULL,
    "window_to" TIMESTAMPTZ(6) NOT NULL,
    "outcome" TEXT NOT NULL,
    "differences" INTEGER NOT NULL,
    "by_code" JSONB NOT NULL,
    "report" JSONB NOT NULL,
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "finished_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "reconciliation_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "order_head_order_number_key" ON "orderbook"."order_head"("order_number");

-- CreateIndex
CREATE UNIQUE INDEX "order_head_kind_reference_key" ON "orderbook"."order_head"("kind", "reference");

-- CreateIndex
CREATE INDEX "settlement_deal_key_idx" ON "v402"."settlement"("deal_key");

-- CreateIndex
CREATE INDEX "settlement_short_ref_idx" ON "v402"."settlement"("short_ref");

-- CreateIndex
CREATE INDEX "settlement_accepted_at_contract_id_idx" ON "v402"."settlement"("accepted_at", "contract_id");

-- CreateIndex
CREATE INDEX "decision_topic_partition_kafka_offset_idx" ON "v402"."decision"("topic", "partition", "kafka_offset");

-- CreateIndex
CREATE INDEX "decision_contract_id_idx" ON "v402"."decision"("contract_id");

-- CreateIndex
CREATE INDEX "decision_raw_digest_idx" ON "v402"."decision"("raw_digest");

-- CreateIndex
CREATE UNIQUE INDEX "work_kind_contract_id_side_subject_id_key" ON "v402"."work"("kind", "contract_id", "side", "subject_id");

-- CreateIndex
CREATE INDEX "event_stream_idx" ON "v402"."event"("stream");

-- CreateIndex
CREATE INDEX "outbox_shard_id_idx" ON "v402"."outbox"("shard", "id");

-- CreateIndex
CREATE INDEX "audit_entry_contract_id_idx" ON "v402"."audit_entry"("contract_id");

-- CreateIndex
CREATE INDEX "audit_entry_subject_idx" ON "v402"."audit_entry"("subject");

-- CreateIndex
CREATE UNIQUE INDEX "input_loss_topic_partition_code_known_at_key" ON "v402"."input_loss"("topic", "partition", "code", "known_at");

-- CreateIndex
CREATE INDEX "reconciliation_finished_at_idx" ON "v402"."reconciliation"("finished_at");

-- AddForeignKey
ALTER TABLE "orderbook"."order_line" ADD CONSTRAINT "order_line_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orderbook"."order_head"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orderbook"."order_charge" ADD CONSTRAINT "order_charge_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orderbook"."order_head"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orderbook"."order_delivery" ADD CONSTRAINT "order_delivery_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orderbook"."order_head"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orderbook"."order_delivery_item" ADD CONSTRAINT "order_delivery_item_order_id_delivery_position_fkey" FOREIGN KEY ("order_id", "delivery_position") REFERENCES "orderbook"."order_delivery"("order_id", "position") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orderbook"."order_delivery_item" ADD CONSTRAINT "order_delivery_item_order_id_line_position_fkey" FOREIGN KEY ("order_id", "line_position") REFERENCES "orderbook"."order_line"("order_id", "position") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "v402"."settlement" ADD CONSTRAINT "settlement_deal_key_fkey" FOREIGN KEY ("deal_key") REFERENCES "v402"."deal"("key") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "v402"."decision" ADD CONSTRAINT "decision_raw_digest_fkey" FOREIGN KEY ("raw_digest") REFERENCES "v402"."raw_message"("digest") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "v402"."hold" ADD CONSTRAINT "hold_deal_key_fkey" FOREIGN KEY ("deal_key") REFERENCES "v402"."deal"("key") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "v402"."order_placement" ADD CONSTRAINT "order_placement_contract_id_fkey" FOREIGN KEY ("contract_id") REFERENCES "v402"."settlement"("contract_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "v402"."payment_leg" ADD CONSTRAINT "payment_leg_contract_id_fkey" FOREIGN KEY ("contract_id") REFERENCES "v402"."settlement"("contract_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- AddForeignKey
ALTER TABLE "v402"."delivery" ADD CONSTRAINT "delivery_contract_id_fkey" FOREIGN KEY ("contract_id") REFERENCES "v402"."settlement"("contract_id") ON DELETE RESTRICT ON UPDATE RESTRICT;

-- prisma/sql/roles.sql
-- Group roles. Roles belong to the whole cluster, so another database may have created them already; login roles are
-- members of these and are made by provisionDatabase, since a migration must not hold a password.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['v402_app', 'v402_operator', 'v402_orderbook'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
      EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- A migration of another database was faster.
      END;
    END IF;
  END LOOP;
END
$$;

-- prisma/sql/v402.sql
-- What Prisma's schema cannot say about schema v402: checks, partial indexes, grants.

ALTER TABLE v402.deal
  ADD CONSTRAINT deal_key_32 CHECK (octet_length(key) = 32);

ALTER TABLE v402.settlement
  ADD CONSTRAINT settlement_contract_id_32 CHECK (octet_length(contract_id) = 32),
  ADD CONSTRAINT settlement_state CHECK (state IN
    ('accepted', 'ordering', 'order_unknown', 'order_rejected', 'ordered', 'fulfilling', 'superseded')),
  ADD CONSTRAINT settlement_superseded_not_current CHECK (NOT (current AND state = 'superseded')),
  ADD CONSTRAINT settlement_total CHECK (total >= 0);
-- Backstop of the deal lock: one current contract per deal.
CREATE UNIQUE INDEX settlement_current ON v402.settlement (deal_key) WHERE current;

ALTER TABLE v402.raw_message
  ADD CONSTRAINT raw_message_digest_32 CHECK (octet_length(digest) = 32);

ALTER TABLE v402.decision
  ADD CONSTRAINT decision_outcome CHECK (outcome IN ('accepted', 'rejected', 'quarantined', 'undecidable')),
  ADD CONSTRAINT decision_arrival_source CHECK (arrival_source IN ('broker', 'database'));

ALTER TABLE v402.quarantine
  ADD CONSTRAINT quarantine_reason CHECK (reason IN (
    'equivocation', 'undecidable_message', 'order_mismatch', 'order_unresolved', 'order_retries_exhausted')),
  ADD CONSTRAINT quarantine_side CHECK (side IN ('buyer', 'seller')),
  ADD CONSTRAINT quarantine_resolution CHECK (resolution IN ('release', 'reject', 'redrive')),
  ADD CONSTRAINT quarantine_resolved CHECK ((resolution IS NULL) = (resolved_by IS NULL) AND (resolution IS NULL) = (resolved_at IS NULL));
-- One entry per conflicting contract, per undecidable content, per order that a person has to look at: what was decided or
-- tried again may come back. Content that was rejected is closed for good.
CREATE UNIQUE INDEX quarantine_equivocation ON v402.quarantine (contract_id) WHERE reason = 'equivocation';
CREATE UNIQUE INDEX quarantine_undecidable ON v402.quarantine (raw_digest)
  WHERE reason = 'undecidable_message' AND (resolution IS NULL OR resolution = 'reject');
CREATE INDEX quarantine_raw_digest ON v402.quarantine (raw_digest) WHERE raw_digest IS NOT NULL;
CREATE UNIQUE INDEX quarantine_order ON v402.quarantine (contract_id, side)
  WHERE reason IN ('order_mismatch', 'order_unresolved', 'order_retries_exhausted') AND resolution IS NULL;
CREATE INDEX quarantine_hold ON v402.quarantine (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX quarantine_open ON v402.quarantine (quarantined_at) WHERE resolution IS NULL;

ALTER TABLE v402.hold
  ADD CONSTRAINT hold_reason CHECK (reason IN
    ('equivocation', 'amendment_after_start', 'order_rejected', 'order_mismatch', 'order_unresolved',
     'order_retries_exhausted')),
  ADD CONSTRAINT hold_released CHECK ((released_by IS NULL) = (released_at IS NULL)),
  ADD CONSTRAINT hold_resolution CHECK (resolution IN ('release', 'reject', 'redrive'));
CREATE INDEX hold_open ON v402.hold (deal_key) WHERE released_at IS NULL;

ALTER TABLE v402.order_placement
  ADD CONSTRAINT order_placement_side CHECK (side IN ('buyer', 'seller')),
  ADD CONSTRAINT order_placement_state CHECK (state IN
    ('waiting', 'placing', 'created', 'rejected', 'unknown', 'unresolved', 'mismatched', 'superseded')),
  ADD CONSTRAINT order_placement_created CHECK ((state = 'created') = (order_number IS NOT NULL AND ordered_at IS NOT NULL));

ALTER TABLE v402.payment_leg
  ADD CONSTRAINT payment_leg_side CHECK (side IN ('buyer', 'seller')),
  ADD CONSTRAINT payment_leg_state CHECK (state IN ('waiting', 'scheduled', 'blocked', 'requested', 'superseded')),
  ADD CONSTRAINT payment_leg_amount CHECK (amount > 0);

ALTER TABLE v402.delivery
  ADD CONSTRAINT delivery_side CHECK (side IN ('buyer', 'seller')),
  ADD CONSTRAINT delivery_state CHECK (state IN ('waiting', 'blocked', 'requested', 'superseded'));

ALTER TABLE v402.work
  ADD CONSTRAINT work_kind CHECK (kind IN ('order', 'payment_leg', 'delivery')),
  ADD CONSTRAINT work_lease CHECK ((lease_until IS NULL) = (leased_by IS NULL));
-- What the sweep looks through: the rows that are not done, and no others.
CREATE INDEX order_placement_open ON v402.order_placement (contract_id) WHERE state IN ('waiting', 'placing', 'unknown');
-- What waits for a shipment or a receipt may wait for ever, and the sweep looks at the others every minute.
CREATE INDEX payment_leg_open ON v402.payment_leg (contract_id)
  WHERE state IN ('scheduled', 'blocked') OR (state = 'waiting' AND trigger IN ('agreed', 'ordered'));
CREATE INDEX delivery_open ON v402.delivery (contract_id) WHERE state = 'waiting';
-- What stands still and what a person has to do something about: few rows of very many.
CREATE INDEX order_placement_unknown ON v402.order_placement (look_up_not_before) WHERE state = 'unknown';
CREATE INDEX payment_leg_blocked ON v402.payment_leg (contract_id) WHERE state = 'blocked';
CREATE INDEX delivery_blocked ON v402.delivery (contract_id) WHERE state = 'blocked';
CREATE INDEX work_due ON v402.work (kind, due_at);
-- How many leases run: few rows of very many.
CREATE INDEX work_leased ON v402.work (kind, lease_until) WHERE lease_until IS NOT NULL;

ALTER TABLE v402.job
  ADD CONSTRAINT job_lease CHECK ((lease_until IS NULL) = (leased_by IS NULL));

ALTER TABLE v402.event
  ADD CONSTRAINT event_sequence CHECK (sequence > 0);
-- Backstop of the counters: one event per place in a stream.
CREATE UNIQUE INDEX event_place ON v402.event (stream, topic, sequence) WHERE sequence IS NOT NULL;

ALTER TABLE v402.audit_entry
  ADD CONSTRAINT audit_entry_sequence CHECK (sequence > 0),
  ADD CONSTRAINT audit_entry_digests_32 CHECK (octet_length(previous) = 32 AND octet_length(digest) = 32);
-- A chain has no branches.
CREATE UNIQUE INDEX audit_entry_previous ON v402.audit_entry (previous);

ALTER TABLE v402.approval
  ADD CONSTRAINT approval_outcome CHECK (outcome IN ('approved', 'withdrawn')),
  ADD CONSTRAINT approval_decided CHECK ((outcome IS NULL) = (decided_by IS NULL) AND (outcome IS NULL) = (decided_at IS NULL)
    AND (outcome IS NULL) = (decided_login IS NULL)),
  ADD CONSTRAINT approval_second_person CHECK (outcome <> 'approved' OR decided_by <> requested_by),
  ADD CONSTRAINT approval_second_login CHECK (outcome <> 'approved' OR decided_login <> requested_login);
-- A default says who asks, since nobody may write that column; an update has no defaults.
CREATE FUNCTION v402.approval_decided_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.decided_login := CASE WHEN NEW.outcome IS NULL THEN NULL ELSE session_user END;
  RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION v402.approval_decided_login() FROM PUBLIC;
CREATE TRIGGER approval_decided_login BEFORE UPDATE ON v402.approval
  FOR EACH ROW EXECUTE FUNCTION v402.approval_decided_login();
-- One request at a time waits for a second person.
CREATE UNIQUE INDEX approval_pending ON v402.approval (case_id) WHERE outcome IS NULL;

-- Rows come in the order of their times, so a summary of each stretch of the table finds a window at next to no cost.
CREATE INDEX event_occurred ON v402.event USING brin (occurred_at);
CREATE INDEX decision_decided ON v402.decision USING brin (decided_at);

ALTER TABLE v402.input_offset
  ADD CONSTRAINT input_offset_last CHECK ((last_offset IS NULL) = (last_digest IS NULL) AND last_offset < next_offset),
  ADD CONSTRAINT input_offset_digest CHECK (octet_length(last_digest) = 32);
ALTER TABLE v402.input_loss
  ADD CONSTRAINT input_loss_code CHECK (code IN
    ('input_lost', 'input_topic_recreated', 'input_offsets_moved', 'input_partitions_added'));
ALTER TABLE v402.reconciliation
  ADD CONSTRAINT reconciliation_outcome CHECK (outcome IN ('agrees', 'differs', 'unproven'));

-- 16 shards: more relays than that on one database would not help.
INSERT INTO v402.relay_shard (shard) SELECT generate_series(0, 15);

-- Least privilege. Evidence is append-only: nobody but the owner can change or delete it.
GRANT USAGE ON SCHEMA v402 TO v402_app;
GRANT SELECT, INSERT ON v402.deal, v402.raw_message, v402.decision, v402.event TO v402_app;
GRANT UPDATE (created_at) ON v402.deal TO v402_app; -- a row lock needs the right to update one column
GRANT SELECT, INSERT ON v402.settlement, v402.rejection, v402.quarantine, v402.hold TO v402_app;
GRANT UPDATE (current, state, settlement_sequence, payment_sequence, delivery_sequence, last_event_at, duplicates)
  ON v402.settlement TO v402_app;
GRANT UPDATE (occurrences) ON v402.rejection, v402.quarantine TO v402_app;
GRANT SELECT, INSERT ON v402.order_placement, v402.payment_leg, v402.delivery TO v402_app;
GRANT UPDATE (state, revision, attempt, unknowns, look_up_not_before, order_system, order_number, order_url, code, ordered_at)
  ON v402.order_placement TO v402_app;
GRANT UPDATE (state, revision, attempt, triggered_at, due_date, code) ON v402.payment_leg TO v402_app;
GRANT UPDATE (state, revision, attempt, code) ON v402.delivery TO v402_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON v402.work TO v402_app;
GRANT SELECT, INSERT, UPDATE ON v402.job TO v402_app;
GRANT SELECT, INSERT, DELETE ON v402.outbox TO v402_app;
GRANT SELECT, UPDATE ON v402.relay_shard TO v402_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON v402.relay TO v402_app;
GRANT SELECT, INSERT ON v402.parked_stream TO v402_app;
GRANT SELECT ON v402.audit_entry TO v402_app;
GRANT SELECT, INSERT, UPDATE ON v402.input_offset TO v402_app;
GRANT SELECT, INSERT ON v402.input_loss TO v402_app;
GRANT SELECT, INSERT, DELETE ON v402.reconciliation TO v402_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA v402 TO v402_app;

-- Operators resolve what the services may not: they release holds, close entries, and take a contract in on the bytes
-- that are stored. No grant lets them change bytes, a canonical form, a decision, an event or an audit entry.
GRANT USAGE ON SCHEMA v402 TO v402_operator;
GRANT SELECT ON v402.deal, v402.settlement, v402.raw_message, v402.decision, v402.rejection, v402.quarantine, v402.hold,
  v402.order_placement, v402.payment_leg, v402.delivery, v402.work, v402.event, v402.parked_stream, v402.audit_entry,
  v402.approval TO v402_operator;
GRANT INSERT ON v402.deal, v402.raw_message, v402.decision, v402.event, v402.outbox, v402.settlement, v402.rejection,
  v402.quarantine, v402.hold, v402.order_placement, v402.payment_leg, v402.delivery, v402.work TO v402_operator;
GRANT UPDATE (created_at) ON v402.deal TO v402_operator;
GRANT UPDATE (current, state, settlement_sequence, payment_sequence, delivery_sequence, last_event_at, duplicates)
  ON v402.settlement TO v402_operator;
GRANT UPDATE (occurrences) ON v402.rejection TO v402_operator;
GRANT UPDATE (occurrences, resolution, resolved_by, resolved_at) ON v402.quarantine TO v402_operator;
GRANT UPDATE (resolution, released_by, released_at) ON v402.hold TO v402_operator;
GRANT UPDATE (state, revision, attempt, unknowns, look_up_not_before, order_system, order_number, order_url, code,
  ordered_at, redrives, unknowns_before, adopted_from) ON v402.order_placement TO v402_operator;
GRANT UPDATE (state, revision, attempt, triggered_at, due_date, code) ON v402.payment_leg TO v402_operator;
GRANT UPDATE (state, revision, attempt, code) ON v402.delivery TO v402_operator;
GRANT UPDATE (due_at), DELETE ON v402.work TO v402_operator;
GRANT DELETE ON v402.parked_stream TO v402_operator;
-- `login` is left out: the database says who is logged in, nobody else.
GRANT INSERT (sequence, at, actor, action, subject, contract_id, reason, details, previous, digest)
  ON v402.audit_entry TO v402_operator;
GRANT INSERT (id, case_id, action, options, amount, currency, requested_by, reason) ON v402.approval TO v402_operator;
GRANT UPDATE (decided_by, decided_at, outcome) ON v402.approval TO v402_operator;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA v402 TO v402_operator;

-- prisma/sql/orderbook.sql
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
