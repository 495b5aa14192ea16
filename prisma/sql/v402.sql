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
