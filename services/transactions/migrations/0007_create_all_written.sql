-- Ends a statement as a whole where it could not write all that it was to write: another process was faster.
-- depends: 0006_create_orphan_stop
create function all_written(written bigint, expected bigint) returns void language plpgsql as $$
begin
    if written <> expected then
        raise serialization_failure using message = format('%s of %s rows follow', written, expected);
    end if;
end $$;
