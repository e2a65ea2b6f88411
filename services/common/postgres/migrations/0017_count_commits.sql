-- How often offsets were committed to Kafka, which keeps the number beside them: that of a schema that was restored is lower.
-- depends: 0016_partition_messages
create table commit_mark (mark bigint not null);
insert into commit_mark values (0);
