-- What messages said that deviated from their schemas, and how they were read.
-- depends: 0005_keep_requests
alter table message add column normalised json, add column deviations json, add column refused text;
comment on column message.payload is 'as the station sent it';
comment on column message.normalised is 'as it was read, where that is in other words';
comment on column message.refused is 'why it was answered with a CALLERROR, if it was';
