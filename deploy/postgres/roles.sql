-- Three roles in place of one that may do everything: run it as an administrator of the database, before the first
-- migration, as init.sh does, or at any time after it. It changes nothing a second time.
--
--   jetway_owner   migrates: `alembic upgrade head` runs as it, and nothing else does
--   jetway_app     runs the API, workers and Beat: reads and writes rows, and cannot change a table or a trigger
--   jetway_months  nobody logs in as it: it owns the tables that are kept by the month, which Beat makes and drops
--
-- Then give the first two their passwords: ALTER ROLE jetway_app PASSWORD '...';
\set ON_ERROR_STOP on
BEGIN;

DO $$
DECLARE role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['jetway_owner', 'jetway_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'jetway_months') THEN
        CREATE ROLE jetway_months NOLOGIN;
    END IF;
END $$;

-- Where the administrator is no superuser, as with most hosters, what is given to a role is given by one of its members.
GRANT jetway_owner, jetway_months TO CURRENT_USER;
GRANT jetway_months TO jetway_app;
-- A column that is added to a table is added to its months as well, which belong to whoever made them.
GRANT jetway_months, jetway_app TO jetway_owner;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO jetway_owner, jetway_months, jetway_app;

-- Everything belongs to who migrates, but for what is kept by the month.
DO $$
DECLARE one record;
BEGIN
    FOR one IN
        SELECT oid::regclass AS name, relkind = 'p' OR relispartition AS by_the_month FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %I', one.name,
                       CASE WHEN one.by_the_month THEN 'jetway_months' ELSE 'jetway_owner' END);
    END LOOP;
    FOR one IN
        SELECT oid::regprocedure AS name FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO jetway_owner', one.name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO jetway_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO jetway_app;
ALTER DEFAULT PRIVILEGES FOR ROLE jetway_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO jetway_app;
ALTER DEFAULT PRIVILEGES FOR ROLE jetway_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO jetway_app;
-- Which version the tables are of is nobody's to change but the migrations'.
DO $$
BEGIN
    IF to_regclass('alembic_version') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM jetway_app;
    END IF;
END $$;

COMMIT;
