-- Counts up: voids records, gives the next number, marks the names with it, and tells the news. Without names it counts
-- nothing; it only begins a new era where one is due. What stands between two @ is put in by tables.rs.
--
-- Locks: the records, in the order of their names as by all statements, and then the log. So no two of these, and none of
-- these and a write, wait for each other; and the log is held for no longer than it takes to write the marks.
#variable_conflict use_column
DECLARE
    now_at @log@%ROWTYPE;
    here text := @here@;
    is_new boolean := false;
    kind text;
    marked bigint;
    lowest bigint;
    highest bigint;
BEGIN
    -- A log whose last numbers a crash takes away would give them out again, and nobody would notice.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;

    IF cardinality(in_keys) > 0 THEN
        WITH voided AS (
            INSERT INTO @records@ (namespace, key, value, token, expires_at)
            SELECT asked.namespace, asked.key, NULL, @token@, in_until
            FROM unnest(in_namespaces, in_keys) AS asked (namespace, key)
            @replace@ RETURNING namespace, key, token)
        SELECT array_agg(voided.token ORDER BY asked.place) INTO tokens
        FROM unnest(in_namespaces, in_keys) WITH ORDINALITY AS asked (namespace, key, place)
        JOIN voided ON voided.namespace = asked.namespace AND voided.key = asked.key;
    END IF;

    SELECT * INTO now_at FROM @log@ AS l WHERE l.name = in_log FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO @log@ (name, era, number, floor, key_floor, key_marks, tag_marks, server)
        VALUES (in_log, 0, 0, 0, 0, 0, 0, '') ON CONFLICT (name) DO NOTHING;
        SELECT * INTO now_at FROM @log@ AS l WHERE l.name = in_log FOR UPDATE;
    END IF;
    -- Who waited for the row sees here what the others have done to the marks.
    IF now_at.server <> here OR (in_era = now_at.era AND in_number > now_at.number) OR NOT EXISTS (
        SELECT FROM @marks@ AS m WHERE m.log = in_log AND m.id = '' AND m.name = int8send(now_at.era))
    THEN
        is_new := true;
        now_at.era := ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint;
        now_at.number := 0;
        now_at.floor := 0;
        now_at.key_floor := 0;
        now_at.key_marks := 0;
        now_at.tag_marks := 0;
        now_at.server := here;
        DELETE FROM @marks@ AS m WHERE m.log = in_log;
        INSERT INTO @marks@ (log, id, class, name, number) VALUES (in_log, '', 's', int8send(now_at.era), 0);
    END IF;

    IF in_names IS NOT NULL THEN
        now_at.number := now_at.number + 1;
        -- One that was inserted has no xmax, one that was updated has been locked before.
        WITH written AS (
            INSERT INTO @marks@ AS m (log, id, class, name, number)
            SELECT in_log, sha256(given.name), chr(get_byte(given.name, 0)), given.name, now_at.number
            FROM (SELECT DISTINCT name FROM unnest(in_names) AS name) AS given
            ON CONFLICT (log, id) DO UPDATE SET number = excluded.number
            RETURNING m.class, m.xmax = 0 AS is_added)
        SELECT now_at.key_marks + count(*) FILTER (WHERE is_added AND class = 'k'),
               now_at.tag_marks + count(*) FILTER (WHERE is_added AND class = 't')
        INTO now_at.key_marks, now_at.tag_marks FROM written;

        FOREACH kind IN ARRAY ARRAY['k', 't'] LOOP
            marked := CASE kind WHEN 'k' THEN now_at.key_marks ELSE now_at.tag_marks END;
            CONTINUE WHEN marked <= in_most;
            -- From the floor on, below which there are none of this kind and may be many of the other.
            lowest := CASE kind WHEN 'k' THEN now_at.key_floor ELSE now_at.floor END;
            WITH doomed AS MATERIALIZED (
                SELECT m.id FROM @marks@ AS m WHERE m.log = in_log AND m.class = kind AND m.number >= lowest
                ORDER BY m.number LIMIT marked - in_most + in_most / 100),
            gone AS (
                DELETE FROM @marks@ AS m USING doomed WHERE m.log = in_log AND m.id = doomed.id
                RETURNING m.number)
            SELECT max(gone.number) INTO highest FROM gone;
            -- Counted anew, in case that somebody else has removed some.
            SELECT count(*) INTO marked FROM @marks@ AS m WHERE m.log = in_log AND m.class = kind;
            IF kind = 'k' THEN
                now_at.key_marks := marked;
                now_at.key_floor := greatest(now_at.key_floor, highest);
            ELSE
                now_at.tag_marks := marked;
                now_at.floor := greatest(now_at.floor, highest);
            END IF;
        END LOOP;
    END IF;

    IF is_new OR in_names IS NOT NULL THEN
        UPDATE @log@ AS l SET era = now_at.era, number = now_at.number, floor = now_at.floor,
            key_floor = now_at.key_floor, key_marks = now_at.key_marks, tag_marks = now_at.tag_marks,
            server = now_at.server WHERE l.name = in_log;
    END IF;

    era := now_at.era;
    number := now_at.number;
    floor := now_at.floor;
    key_floor := now_at.key_floor;
    told := 0;
    IF in_era = now_at.era AND in_number >= greatest(now_at.floor, now_at.key_floor) THEN
        SELECT count(*), array_agg(news.name), array_agg(news.number) INTO told, names, numbers
        FROM (@news@) AS news;
        IF told > @most@ THEN
            names := NULL;
            numbers := NULL;
        END IF;
    END IF;
END
