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
