//! Limits on requests and answers: every maximum that a client can meet, each with its reason.
//!
//! Those that an operator may want to change are defaults of settings of the host, and say so.

use std::time::Duration;

/// Bytes of a request body, but for routes that state another limit. A product with a hundred variants has
/// about 200 kB.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Records on one page of a store list. A larger `limit` is cut to this.
pub const STORE_PAGE_MAX: usize = 1000;

/// Characters of a password that is set, at least: what is shorter is found by trying. Logging in takes whatever was
/// set before.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Characters of a password that is set, at most: a sentence has fewer, and hashing reads all of them.
pub const PASSWORD_CHARS_MAX: usize = 1024;

/// Characters of an e-mail address: 64 before the `@` and 255 behind it, as mail servers take them. It stands in keys.
pub const EMAIL_CHARS_MAX: usize = 320;
/// Connections that are open at the same time; the setting `connections_max`. Each may hold a head and a small body, so
/// that all of them hold less than half a gigabyte, and needs a file descriptor.
pub const CONNECTIONS_MAX: usize = 4096;

/// Requests that are being answered at the same time; the setting `requests_max`. More would only wait for the
/// processors and the writer, and hold memory meanwhile.
pub const REQUESTS_MAX: usize = 1024;

/// Bytes of the head of a request: its line, and its headers. As large as the largest that proxies let through.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// From the first byte of the head of a request to its last; the setting `header_timeout`.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// In which 64 kB of the body of a request must come, or its rest; the setting `body_timeout`.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// For which a connection is kept between two requests; the setting `idle_timeout`. Longer than the minute for which
/// most proxies keep theirs, so that it is they who close.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// In which 64 kB of an answer must be taken, or its rest; the setting `write_timeout`.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// For which a stop waits for requests, subscribers and jobs that have begun; the setting `drain_timeout`. Everything
/// that was acknowledged is on disk by then.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of bodies that arrive and of answers that are not read yet, over all connections; the setting
/// `buffer_bytes_max`. Beyond it the slowest clients are cut.
pub const BUFFER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Conditions of one list: its filters, and those within `$and` and `$or`, where a branch that is empty counts as one.
/// Each is asked of every candidate; pages that people make have a dozen.
pub const CONDITIONS_MAX: usize = 100;

/// Values of all conditions of one list: as many ids as fit into the head of a request.
pub const CONDITION_VALUES_MAX: usize = 2_000;

/// Letters of `q`, and of a pattern of `$like` and `$ilike`. Matching costs up to their product with those of the text.
pub const PATTERN_LETTERS_MAX: usize = 500;

/// Keys that a request reads inline, where others wait for it: as many as a millisecond or two take. What reads more
/// begins again in a pool of threads, so that this much is lost of it.
pub const KEYS_INLINE_MAX: u64 = 2_000;

/// Keys that a request reads at all; the setting `request_keys_max`. A search or an order over 100,000 products with a
/// dozen variants each stays below it, and takes seconds.
pub const KEYS_MAX: u64 = 5_000_000;

/// Requests that wait for a thread of the pool; the setting `reads_waiting_max`. Those that have one take milliseconds,
/// and seconds at worst, so that whoever is last in line is not given up by its client.
pub const READS_WAITING_MAX: usize = 64;

/// For which a request waits for a thread of the pool, and reads in it; the setting `read_timeout`.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Products that one call puts into a channel and takes out: 100,000 each. It is one transaction, and others wait.
pub const BULK_PRODUCTS_MAX: usize = 200_000;

/// Bytes of an answer to a storefront; the setting `store_answer_bytes_max`. A page of 100 products of 50 variants each,
/// with their prices, options and pictures, has about 11 MB.
pub const STORE_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of an answer to admins; the setting `answer_bytes_max`.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Of what hangs on one record (the products of a collection), an answer to a storefront shows so many; the setting
/// `store_children_max`. Those of a record that are more have a list of their own, which has pages.
pub const STORE_CHILDREN_MAX: usize = 100;

/// Records that an answer holds in memory at a time: those of a page, or what hangs on 128 of them. A record has about
/// a kilobyte.
pub const RECORDS_AT_ONCE_MAX: usize = 100_000;
/// Digits of a number in a request (an amount, a quantity, a measure), those before and behind the point together, and
/// of what a cart comes to. JSON readers hold numbers as floats of 64 bits, which keep any 15 digits, and not any 16:
/// what has more would be rounded in silence by the next program that reads it.
pub const NUMBER_DIGITS_MAX: u32 = 15;
/// Numbers of more digits than that in one request body. Only free data may have any, a curve or an outline that was
/// measured; of each is noted where it stands.
pub const LONG_NUMBERS_MAX: usize = 1_000;
/// Fulfilments of one order, with those that were called off. Each sending reads them all, and so does who looks at the
/// order; a hundred lines from five places, each in a parcel of its own, are this many.
pub const FULFILLMENTS_MAX: usize = 500;
/// Findings that one verification lists. All are counted; who has more than this wants a backup and not a list.
pub const VERIFY_FINDINGS_MAX: usize = 1_000;

/// Bytes of a signed token that is looked at: ours have about 600.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Relations in one path. Deeper ones are left out, like fields that nothing has: what they would show is never
/// worth what it costs, and a request must not decide how deep the program recurses.
pub const FIELDS_DEPTH_MAX: usize = 8;
/// Attempts to log in, to register or to reset a password, for one account from one network in a quarter of an hour:
/// nobody mistypes a password more often, and nobody guesses one.
pub const ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX: u32 = 10;

/// Those from one network in a quarter of an hour, whoever they are for: an office logs in less often.
pub const ATTEMPTS_OF_NETWORK_MAX: u32 = 100;

/// Those for one account in a day, wherever they come from. More than one network may have in a day.
pub const ATTEMPTS_OF_ACCOUNT_MAX: u32 = 1_000;

/// Accounts and networks of which attempts are remembered, of each kind: about 10 MB. The oldest make room.
pub const ATTEMPTS_REMEMBERED_MAX: usize = 100_000;

/// Passwords that are hashed at a time. Each takes 19 MiB and tens of milliseconds of a processor.
pub const HASHINGS_CONCURRENT_MAX: usize = 4;

/// Passwords that are hashed or wait for it: about a second, on two processors.
pub const HASHING_QUEUE_MAX: usize = 64;

/// Those of one network, so that what one makes up does not hold the others up.
pub const HASHING_QUEUE_PER_NETWORK_MAX: usize = 8;
/// Bytes of an answer that is kept for a repeat with the same `Idempotency-Key`. A larger one is made again from the
/// records.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of all answers that are kept for one client, for a day: what repeats in earnest, within minutes, fits; beyond
/// it answers are made again from the records.
pub const IDEMPOTENCY_BYTES_PER_CLIENT_MAX: u64 = 1024 * 1024;

/// Bytes of what a commit notes for a repeat: the ids of about 2,000 records.
pub const IDEMPOTENCY_NOTE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a record as it is stored, where its service names no other limit: with this no list inside of a record (refunds
/// of a payment, prices of a set, pictures, steps in the journal of a saga, free data) grows without an end, whoever adds to
/// it. Eight times the body of a request.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a cart in all, as it is stored, with its lines, addresses and free data: it is read and written as a whole, by
/// whoever has a publishable key. A line with a long description has about 4 kB, and there are 100 at most.
pub const CART_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a customer and of one of their addresses, with free data.
pub const CUSTOMER_BYTES_MAX: usize = 32 * 1024;

/// Addresses of one customer: those that are no default are looked through when another one becomes it, and an answer
/// shows them all.
pub const ADDRESSES_MAX: usize = 100;
