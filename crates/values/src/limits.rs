//! Limits: every maximum and time-out that a client can meet (request size, rate limits, pagination,
//! concurrency, queues), each with its reason.
//!
//! Those that an operator may want to change are defaults of settings of the host, and say so.

use std::time::Duration;

/// Bytes of a request body; some routes state another limit. A product with a hundred variants has about 200
/// kB.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Records on one page of a store list. A larger `limit` is reduced to this.
pub const STORE_PAGE_MAX: usize = 1000;

/// Records that the `offset` of a store list may skip. They are stepped over one by one, in about 10 ms; a
/// `cursor` goes to any depth.
pub const STORE_OFFSET_MAX: usize = 100_000;

/// Characters of a `cursor`. It holds a value to sort by, of up to 512 bytes, an id, and the order.
pub const CURSOR_CHARS_MAX: usize = 4_096;

/// Minimum length of a new password, in characters: shorter ones can be found by brute force. Logging in
/// accepts whatever was set before.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Maximum length of a new password, in characters. A sentence is shorter, and hashing reads all of them.
pub const PASSWORD_CHARS_MAX: usize = 1024;

/// Characters of an e-mail address: 64 before the `@` and 255 behind it, as mail servers accept. It is part
/// of index keys.
pub const EMAIL_CHARS_MAX: usize = 320;

/// Memory for remembered answers, in bytes; the setting `answers_bytes_max`. A thousand pages with variants,
/// prices and stock, on a machine that has half a gigabyte.
pub const ANSWERS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The share of that memory that one answer may take: a sixteenth.
pub const ANSWER_SHARE: usize = 16;

/// Keys and ranges that an answer may depend on and be remembered. A page of 20 products with variants,
/// prices and stock depends on 400; beyond this, comparing costs as much as it saves.
pub const REGIONS_READ_MAX: usize = 32_768;

/// Changed keys of a commit up to which remembered answers are told apart by what they depend on. A larger
/// commit, such as an import, makes all of them outdated.
pub const REGIONS_CHANGED_MAX: usize = 16_384;

/// Bytes below which an answer is not compressed: it fits into one packet.
pub const COMPRESSED_BYTES_MIN: usize = 1024;

/// Bytes above which an answer is not compressed: it would occupy a processor for a twentieth of a second.
/// The description of the API is larger, and compressed once.
pub const COMPRESSED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes up to which an answer is compressed on the thread that answers requests: half a millisecond.
pub const COMPRESSED_INLINE_BYTES_MAX: usize = 32 * 1024;

/// Open connections; the setting `connections_max`. Each may hold a head and a small body, less than half a
/// gigabyte for all together, and needs a file descriptor.
pub const CONNECTIONS_MAX: usize = 4096;

/// Concurrent requests; the setting `requests_max`. More would only wait for the processors and the writer,
/// and hold memory meanwhile.
pub const REQUESTS_MAX: usize = 1024;

/// Bytes of the head of a request: the request line and the headers. As large as the largest that proxies let
/// through.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// TLS handshakes at a time. Beyond it the one that takes longest is broken off, as with connections that are
/// idle: a client needs a tenth of a second, and one that stalls keeps nobody else out.
pub const HANDSHAKES_MAX: usize = 256;

/// Requests of one HTTP/2 connection at a time, as many as its specification wants at least. A browser has
/// some dozens.
pub const STREAMS_MAX: u32 = 100;

/// Bytes of the body of one HTTP/2 request that arrive before somebody reads them.
pub const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// Bytes of the bodies of all requests of one HTTP/2 connection that arrive before somebody reads them. All
/// connections together may hold a gigabyte.
pub const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// Time-out for reading the head of a request, from its first byte, and for a TLS handshake; the setting
/// `header_timeout`.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Time-out for reading each 64 kB of the body of a request, or its rest; the setting `body_timeout`.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Keep-alive time-out of an idle connection; the setting `idle_timeout`. Longer than the minute after which
/// most proxies close theirs, so that a proxy never sends a request on a connection that is being closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Time-out for writing each 64 kB of an answer, or its rest; the setting `write_timeout`.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a graceful shutdown waits for running requests, subscribers and jobs; the setting
/// `drain_timeout`. Everything that was acknowledged is on disk by then.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a host waits for the answer of the one that leads, from the last byte of a request that it
/// forwards: most writes take milliseconds, those that ask a provider up to half a minute.
pub const FORWARDED_ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a host waits for the next bytes of an answer that it hands on.
pub const FORWARDED_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests that a host has answered by the one that leads at a time, with their answers: each takes one of
/// the connections of that one ([`CONNECTIONS_MAX`]), of which two followers take a quarter. Beyond it
/// nothing is done, and said so.
pub const FORWARDED_MAX: usize = 512;

/// How long a connection between two hosts may be idle: shorter than any sensible `idle_timeout`, so that no
/// write is sent on a connection that is being closed, of which nobody would know whether it was done.
pub const PEER_IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How far the clocks of two hosts may be apart, when one forwards to the other: the mark of a forwarded
/// request is good for so long.
pub const CLOCKS_APART_MAX: Duration = Duration::from_secs(30);

/// How long a host that led goes on being waited for after another one leads: its last answers are under way.
pub const LEADER_CHANGE_GRACE: Duration = Duration::from_secs(1);

/// How long a read waits for a commit that its client has seen, or for the last one of the shop
/// (`atoll-after`, `atoll-read`): a replica is milliseconds behind.
pub const READ_AFTER_TIMEOUT: Duration = Duration::from_secs(1);

/// Requests that wait so at a time, of all clients together.
pub const READS_AFTER_MAX: usize = 1_024;

/// How long the answer to a forwarded write waits until this host has what was written. Its client waits for
/// the rest with its next request.
pub const WRITTEN_HERE_TIMEOUT: Duration = Duration::from_secs(1);

/// How far a replica may be behind the log while its host is ready, by the times of the commits. It is
/// milliseconds, unless the host or its way to the log is overloaded.
pub const REPLICA_LAG_MAX: Duration = Duration::from_secs(10);

/// How old the last commit of a replica may be while its host is ready, if it has not heard of the log since
/// it was started: it cannot say what it lacks.
pub const REPLICA_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// After how long without word of the log a host says that it is degraded: a failover of PostgreSQL takes
/// less.
pub const LOG_SILENCE_MAX: Duration = Duration::from_secs(15);

/// Bytes of request bodies and unread answers that are buffered over all connections; the setting
/// `buffer_bytes_max`. Beyond it the slowest clients are disconnected.
pub const BUFFER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Conditions of one list: its filters, and those within `$and` and `$or`, where an empty branch counts as
/// one. Each is evaluated for every candidate; real pages have a dozen.
pub const CONDITIONS_MAX: usize = 100;

/// Values of all conditions of one list. As many ids as fit into the head of a request.
pub const CONDITION_VALUES_MAX: usize = 2_000;

/// Characters of `q`, and of a `$like` or `$ilike` pattern. Matching costs up to the product with the length
/// of the text.
pub const PATTERN_LETTERS_MAX: usize = 500;

/// Keys that a request may read on an async worker, where it delays others: about one or two milliseconds. A
/// request that reads more is started again in a thread pool, so this is also the work that is lost by that.
pub const KEYS_INLINE_MAX: u64 = 2_000;

/// As [`KEYS_INLINE_MAX`], while [`READS_REFUSED_MAX`] requests wait to be refused: then many clients ask for
/// much, and each of their attempts would delay all others. A product with its variants, or a cart, reads
/// fewer.
pub const KEYS_INLINE_BUSY_MAX: u64 = 200;

/// Keys that one request may read; the setting `request_keys_max`. A search or a sort over 100,000 products
/// with a dozen variants each stays below it, and takes seconds.
pub const KEYS_MAX: u64 = 5_000_000;

/// Length of the queue for the read pool; the setting `reads_waiting_max`. A read takes milliseconds, and
/// seconds at worst, so the last in the queue is answered before its client times out.
pub const READS_WAITING_MAX: usize = 64;

/// Requests that wait to be refused because the queue for the read pool is full. What comes beyond that is
/// refused at once.
pub const READS_REFUSED_MAX: usize = 256;

/// Milliseconds from one refusal of a read to the next, so that clients which ask again at once, and read up
/// to [`KEYS_INLINE_MAX`] keys each time, cost a fifth of a processor at most. The last of all waits 26
/// seconds.
pub const READ_REFUSED_MS: i64 = 100;

/// Time-out of a read in the pool, including the time in the queue; the setting `read_timeout`.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Cells of a table of variants in sales channels: fifty rows of twenty channels. Each reads a dozen keys,
/// with prices some dozens.
pub const AVAILABILITY_CELLS_MAX: usize = 1_000;

/// Sales channels whose products and orders one request counts: each reads its windows.
pub const CHANNELS_COUNTED_MAX: usize = 50;

/// Products on one page of what changes in a channel: each with its variants, which are decided on twice.
pub const CHANGES_PAGE_MAX: usize = 100;

/// Requests that wait for events at a time: an admin has one for each page that shows them.
pub const EVENT_LISTENERS_MAX: usize = 16;

/// Events that a listener gets at once, the newest ones. What it has missed beyond that is counted, and left
/// out.
pub const EVENT_BACKLOG_MAX: usize = 100;

/// How long a request waits for events before it is answered with none: shorter than the time-outs of most
/// proxies, and a login that has ended is noticed by then.
pub const EVENT_WAIT: Duration = Duration::from_secs(20);

/// Dead letters that one request delivers again, one after the other: each takes as long as its subscriber.
pub const DEAD_LETTERS_RETRIED_MAX: usize = 50;

/// Dead letters that one request deletes, in one transaction.
pub const DEAD_LETTERS_DELETED_MAX: usize = 1_000;

/// Products that one bulk call may add to or remove from a channel: 100,000 each. It is one transaction,
/// which blocks other writes.
pub const BULK_PRODUCTS_MAX: usize = 200_000;

/// Prices that one call may create, update and delete in a price list: two for each of 100,000 variants. It
/// is one transaction, which blocks other writes.
pub const BULK_PRICES_MAX: usize = 200_000;

/// Prices of a price list for one variant and currency, by quantity and rules. All are read to price the
/// variant.
pub const LIST_PRICES_PER_VARIANT_MAX: usize = 100;

/// Active price lists that have not ended, with the same value of a rule or without rules. Those that may
/// apply to a sale are read to price a variant that is in many lists.
pub const PRICE_LISTS_ACTIVE_MAX: usize = 1_000;

/// Values of all rules of a price list, such as the ids of customer groups. The list is indexed under each.
pub const PRICE_LIST_RULE_VALUES_MAX: usize = 1_000;

/// Rules of one price. All must hold; real prices have one or two.
pub const PRICE_RULES_MAX: usize = 20;

/// Characters of an attribute or value of a rule: they are parts of index keys.
pub const RULE_CHARS_MAX: usize = 255;

/// Channels, locations, categories and collections of a catalogue file, of each. They are in memory until the
/// import has ended, and are written in one transaction; of products there may be any number.
pub const IMPORT_LIST_MAX: usize = 20_000;

/// Columns of a CSV file: those of several vocabularies together.
pub const CSV_COLUMNS_MAX: usize = 500;

/// Rows of a CSV file, with its header: as many as a spreadsheet has.
pub const CSV_ROWS_MAX: u64 = 1_048_576;

/// Bytes of a cell of a CSV file: four times the longest text that a spreadsheet keeps in one.
pub const CSV_CELL_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a row of a CSV file, as a whole: a few long texts. A row whose quotes are not closed ends there.
pub const CSV_ROW_BYTES_MAX: usize = 1024 * 1024;

/// Rows of one product in a CSV file: its variants or images. They are in memory together.
pub const CSV_PRODUCT_ROWS_MAX: usize = 5_000;

/// Tags of a product in a cell of a CSV file: four times as many as Shopify has.
pub const CSV_TAGS_MAX: usize = 1_000;

/// Imports and exports of CSV that may be going on at a time, each with a thread. Further ones get 503.
pub const CSV_TRANSFERS_AT_ONCE_MAX: usize = 2;

/// `Retry-After` of those, in seconds.
pub const CSV_TRANSFERS_BUSY_RETRY_S: u64 = 10;

/// Imports and exports of CSV that are kept, with their files: the oldest goes for a new one.
pub const CSV_TRANSFERS_KEPT_MAX: usize = 50;

/// How long an import waits to be confirmed, and the file of an export is kept: a day of work.
pub const CSV_TRANSFER_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes of the file of an export of the running shop, which is read into memory to be sent.
pub const CSV_EXPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of an answer to a storefront; the setting `store_answer_bytes_max`. A page of 100 products of 50
/// variants each, with their prices, options and images, has about 11 MB.
pub const STORE_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of an answer to admins; the setting `answer_bytes_max`.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Related records that an answer to a storefront shows per record and relation, such as the products of a
/// collection; the setting `store_children_max`. Relations with more records have lists of their own, with
/// pagination.
pub const STORE_CHILDREN_MAX: usize = 100;

/// Records that an answer holds in memory at a time: those of a page, or the related records of 128 of them.
/// A record has about a kilobyte.
pub const RECORDS_AT_ONCE_MAX: usize = 100_000;

/// Bytes of the values to sort by and of the ids that a sorted list holds for a page and for what its
/// `offset` skips: some 500,000 records. A `cursor` needs those of its page alone. For a moment it may be
/// twice as much.
pub const SORTED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Digits of a number in a request (an amount, a quantity, a measure), before and behind the point together,
/// and of the totals of a cart. JSON parsers hold numbers as 64-bit floats, which keep any 15 digits, but not
/// any 16: more would be rounded in silence by the next program that parses them.
pub const NUMBER_DIGITS_MAX: u32 = 15;
/// Numbers of more digits than [`NUMBER_DIGITS_MAX`] in one request body. Only metadata may have any, such as
/// a measured curve or outline; the path of each is recorded.
pub const LONG_NUMBERS_MAX: usize = 1_000;
/// Bytes of the `data` and the `context` of a payment session that a storefront sends, of each: as those of a
/// long order with its addresses. Anyone with a publishable key can send them; they are stored with the
/// payment collection and in the journal of the run, and sent to the provider.
pub const SESSION_DATA_BYTES_MAX: usize = 64 * 1024;
/// Payment sessions that one payment collection may lose: a buyer chooses again how to pay, or changes the
/// cart. Each is kept until the cart is deleted, with up to [`SESSION_DATA_BYTES_MAX`], since its provider
/// may still tell that it was paid.
pub const FORMER_SESSIONS_MAX: u64 = 50;
/// Characters of the note of a refund. A payment holds those of up to a thousand, and its provider is not
/// asked to give back what could not be recorded.
pub const REFUND_NOTE_CHARS_MAX: usize = 1_000;
/// Transfers of one order that customers may ask for, those that were declined or withdrawn included: each is
/// mailed to the buyer. Admins may ask for more.
pub const TRANSFERS_ASKED_MAX: u64 = 10;
/// Fulfilments of one order, including cancelled ones. Creating a fulfilment reads them all, and so does
/// showing the order. A hundred lines from five locations, each in its own parcel, are this many.
pub const FULFILLMENTS_MAX: usize = 500;
/// Labels of a fulfilment: a pallet of parcels. They are stored with it, and read with each look at its
/// order.
pub const FULFILLMENT_LABELS_MAX: usize = 100;
/// Service zones of one fulfilment set, and shipping options of one zone. A storefront that asks how a cart
/// can be shipped reads all zones of the locations of its channel, and the options of those that serve the
/// address.
pub const SERVICE_ZONES_MAX: usize = 100;
/// See [`SERVICE_ZONES_MAX`].
pub const SHIPPING_OPTIONS_MAX: usize = 100;
/// Geo zones of one service zone: the countries of the world, and some hundred provinces and cities. All are
/// read with the zone; many postal codes are one pattern.
pub const GEO_ZONES_MAX: usize = 1_000;
/// Fulfilment sets of one stock location. Most have two: shipping and pickup.
pub const FULFILLMENT_SETS_MAX: usize = 20;
/// Characters of a postal code that patterns of service zones are matched with; the longest real ones have a
/// dozen. Each of some hundred patterns takes the time of the length of the code, whenever the cart changes.
pub const POSTAL_CODE_CHARS_MAX: usize = 32;

/// Patterns of postal codes that are kept compiled, of some kilobytes each: those of all service zones of
/// most shops. Beyond it all are compiled again.
pub const POSTAL_PATTERNS_KEPT_MAX: usize = 2_000;

/// Prices of one shipping option: in each currency, and in some hundred regions. All are read for each cart.
pub const SHIPPING_PRICES_MAX: usize = 500;
/// Rules of one shipping option. All are evaluated for each cart.
pub const SHIPPING_RULES_MAX: usize = 50;
/// Findings that one verification lists. All are counted; a store with more than this should be restored from
/// a backup.
pub const VERIFY_FINDINGS_MAX: usize = 1_000;

/// Bytes of a signed token that is verified; ours have about 600. Longer ones are refused unread.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Relations in one path of `fields`. Deeper ones are ignored, like unknown fields. Bounds the recursion that
/// a request can cause.
pub const FIELDS_DEPTH_MAX: usize = 8;
/// Login rate limit: attempts to log in, to register or to reset a password for one account from one network
/// in 15 minutes. Enough for typing errors, too few for guessing.
pub const ATTEMPTS_OF_ACCOUNT_AND_NETWORK_MAX: u32 = 10;

/// Login rate limit: attempts from one network in 15 minutes, for any account. An office logs in less often.
pub const ATTEMPTS_OF_NETWORK_MAX: u32 = 100;

/// Login rate limit: attempts from one site of IPv6 (a /48) in 15 minutes, of whose 65,536 networks anyone
/// can have any number.
pub const ATTEMPTS_OF_SITE_MAX: u32 = 1_000;

/// Login rate limit: attempts for one account in a day, from any network. It bounds guessing from many
/// networks.
pub const ATTEMPTS_OF_ACCOUNT_MAX: u32 = 1_000;

/// Accounts and networks whose attempts are counted, of each kind: about 20 MB each, as names are counted
/// under their hashes. Beyond it counters are evicted whose period is over, and then those of the fewest
/// attempts.
pub const ATTEMPTS_REMEMBERED_MAX: usize = 100_000;

/// Concurrent password hashings. Each takes 19 MiB and tens of milliseconds of CPU.
pub const HASHINGS_CONCURRENT_MAX: usize = 4;

/// Password hashings that run or are queued: about a second of work for two processors.
pub const HASHING_QUEUE_MAX: usize = 64;

/// Password hashings of one network that run or are queued, so that one network cannot fill the queue.
pub const HASHING_QUEUE_PER_NETWORK_MAX: usize = 8;
/// Bytes of an answer that is stored for its `Idempotency-Key`. A larger answer is made again from the
/// records when the request is repeated.
pub const IDEMPOTENCY_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of all answers that are stored for the idempotency keys of one client, per day. Retries within
/// minutes fit; beyond it answers are made again from the records.
pub const IDEMPOTENCY_BYTES_PER_CLIENT_MAX: u64 = 1024 * 1024;

/// Bytes that are stored of one client's requests with an `Idempotency-Key`: about 25,000 requests. Beyond it
/// the oldest are evicted, before their day is over.
pub const IDEMPOTENCY_ROW_BYTES_PER_CLIENT_MAX: u64 = 8 * 1024 * 1024;

/// Budgets that the anonymous shoppers of one publishable key share, by a digest of their network: 256 MB in
/// all, and flooding one of them affects one shopper in 32.
pub const IDEMPOTENCY_SHOPPER_BUDGETS: u8 = 32;

/// Bytes of the note that a commit stores for its idempotency key: the ids of about 2,000 records.
pub const IDEMPOTENCY_NOTE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a stored record, unless its service sets another limit. It bounds every list inside of a record:
/// refunds of a payment, prices of a set, images, the journal of a saga, metadata. Eight times the size of a
/// request body.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a stored cart with its lines, addresses and metadata. It is read and written as a whole, and
/// anyone with a publishable key can write it. A line with a long description has about 4 kB, and there are
/// at most 100.
pub const CART_BYTES_MAX: usize = 512 * 1024;

/// Bytes of a stored customer, and of each of their addresses, with metadata.
pub const CUSTOMER_BYTES_MAX: usize = 32 * 1024;

/// Addresses of one customer. All are read when another one becomes the default, and an answer shows them
/// all.
pub const ADDRESSES_MAX: usize = 100;

/// Groups of one customer. Each price and promotion that asks for groups reads them all; real customers are
/// in a few.
pub const GROUPS_OF_CUSTOMER_MAX: usize = 100;

/// Members that one call adds to a group and removes from it, or groups of a customer. Each is a record that
/// is written, in one transaction, which blocks other writes.
pub const GROUP_CHANGES_MAX: usize = 10_000;

/// Characters of the name of a customer group, which is a part of an index key.
pub const GROUP_NAME_CHARS_MAX: usize = 256;

/// Default of the setting `cart_days`, the days after which an unchanged cart is deleted: long enough for a
/// buyer who comes back next month. Without an expiry, anonymous carts would pile up for ever.
pub const CART_DAYS: u32 = 30;

/// Expired carts per transaction: all writes wait for it meanwhile, and a cart may have 512 kB.
pub const CARTS_EXPIRED_AT_ONCE_MAX: usize = 100;

/// Login sessions of one identity, on as many browsers. Another one closes the oldest; a new password closes
/// all of them, in one transaction.
pub const SESSIONS_PER_IDENTITY_MAX: usize = 100;

/// Expired login sessions per transaction: all writes wait for it meanwhile.
pub const SESSIONS_EXPIRED_AT_ONCE_MAX: usize = 500;
/// Bytes of a webhook. Payment providers send the object that has changed: a few kilobytes, rarely a hundred.
/// Anyone can send one, and its signature is checked when it has arrived whole.
pub const WEBHOOK_BYTES_MAX: usize = 256 * 1024;

/// Signatures of one webhook that are tried. A sender whose secret is being replaced signs with both.
pub const SIGNATURES_MAX: usize = 4;

/// Files of a form, and fields that are none: of a product's pictures a dashboard rarely sends more at once.
pub const FILES_PER_UPLOAD_MAX: usize = 20;

/// Bytes of a form with files, all together. They go to the storage as they arrive, and not through memory.
pub const UPLOAD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Bytes of the head of a part of a form, and of what comes before the first part: a name and a media type.
pub const UPLOAD_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of all uploads that are arriving, by what their heads announce: they take space on the disk, and
/// connections for a long time. Further ones get 503.
pub const UPLOADS_IN_FLIGHT_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Default of the setting `cache_bytes`, the memory in which the database keeps pages of its file: an eighth
/// of a machine with 1 GB. Pages that are not in it are mostly in the cache of the operating system.
pub const CACHE_BYTES: usize = 128 * 1024 * 1024;

/// Least that this setting can be: with less, the pages of one commit are written and read back while it is
/// made.
pub const CACHE_BYTES_FLOOR: usize = 4 * 1024 * 1024;

/// Default of the setting `disk_free_min_bytes`, the bytes of the disk below which nothing new is written; of
/// a small disk a twentieth. In it what has begun is finished: the requests of a second, and the journals of
/// sagas.
pub const DISK_FREE_MIN_BYTES: u64 = 256 * 1024 * 1024;

/// Default of the setting `file_bytes_max`, the bytes of one uploaded file: a photograph from a camera.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most that this setting can be: a local file that is served is read into memory.
pub const FILE_BYTES_CEILING: usize = 64 * 1024 * 1024;

/// Bytes of all local files that are being read to be served, until their connections count them
/// ([`BUFFER_BYTES_MAX`]): further ones wait for their turn, which comes within milliseconds.
pub const FILES_READ_BYTES_MAX: usize = 128 * 1024 * 1024;

/// How long a presigned URL accepts the upload of a file: longer than the largest file takes over a slow
/// line.
pub const PRESIGNED_URL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Characters of the name of a file, as a client states it for a presigned URL: file systems allow 255.
pub const FILE_NAME_CHARS_MAX: usize = 255;

/// Characters of the name of a stored file. Names that are made here have about 40; file systems allow 255.
pub const FILE_KEY_CHARS_MAX: usize = 200;

/// Options of one product. Real products have up to three.
pub const PRODUCT_OPTIONS_MAX: usize = 50;

/// Values of one product option. All are read when a variant chooses one.
pub const OPTION_VALUES_MAX: usize = 1_000;

/// Variants of one product. All are read when another one is created, since no two have the same option
/// values.
pub const VARIANTS_MAX: usize = 1_000;

/// Prices of one variant: in each currency, in some hundred regions, in a few quantities. All are read
/// whenever a cart with the variant changes.
pub const VARIANT_PRICES_MAX: usize = 1_000;

/// Levels of product categories. Real trees have up to six; the path of each category holds the ids of all
/// above it.
pub const CATEGORY_DEPTH_MAX: usize = 20;

/// Categories below one that is moved: the path of each is rewritten, in one transaction.
pub const CATEGORIES_MOVED_MAX: usize = 10_000;

/// Percent of a tax rate. Duties on tobacco and spirits are some hundred.
pub const TAX_RATE_MAX: u64 = 1_000;

/// Characters of the code of a province, and of an id that a rule of a tax rate names. They are parts of
/// index keys; ids have 31.
pub const TAX_CODE_CHARS_MAX: usize = 128;

/// Provinces of a country that have taxes of their own. The largest federations have some hundred; deleting a
/// tax region deletes them.
pub const TAX_PROVINCES_MAX: u64 = 1_000;

/// Rates of one tax region. Real ones have a dozen; showing a region shows them all.
pub const TAX_RATES_MAX: u64 = 1_000;

/// Rules of one tax rate: products, product types and shipping options. A body has room for about 20,000, and
/// a type of its own stands for any number of products.
pub const TAX_RULES_MAX: u64 = 10_000;
/// Bytes of a stored promotion with its rules. It is read for each cart that has its code, and for every cart
/// if it is automatic.
pub const PROMOTION_BYTES_MAX: usize = 256 * 1024;

/// Characters of the code of a promotion, and of the identifier of a campaign: people type them, and they are
/// part of index keys.
pub const PROMOTION_CODE_CHARS_MAX: usize = 200;

/// Rules of one promotion. Each is evaluated for each line of a cart.
pub const PROMOTION_RULES_MAX: usize = 50;

/// Values of all rules of one promotion, such as products. Larger assortments have a collection, a tag or a
/// category.
pub const PROMOTION_RULE_VALUES_MAX: usize = 2_000;

/// Automatic promotions that are active at a time. Every change of every cart evaluates all of them.
pub const AUTOMATIC_PROMOTIONS_MAX: usize = 100;

/// Codes of one cart. Each costs reading a promotion whenever the cart changes.
pub const CART_CODES_MAX: usize = 20;

/// Channels that a start and a migration name for having no way to ship.
pub const UNABLE_TO_SHIP_MAX: usize = 20;

/// How long all providers of a cart together may take, in one request: each has a time-out of its own, and a
/// cart may have many shipping methods.
pub const PROVIDERS_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls of one provider that storefronts wait for at a time; further ones are refused (503). A provider that
/// answers in a tenth of a second is asked for 300 carts a second, and one that is slow holds no place that
/// other requests need.
pub const PROVIDER_CALLS_MAX: usize = 32;

/// Bytes of what a storefront sends for the provider of a shipping option, as of the data of payment
/// sessions.
pub const SHIPPING_DATA_BYTES_MAX: usize = 64 * 1024;

/// How often the providers of a cart are asked in one request. What one says may change what another is
/// asked: the prices of shipping, then the taxes on them, then a price that depends on the total with taxes.
pub const PROVIDER_ROUNDS_MAX: usize = 4;

/// Shipping methods of one cart, at most one of each shipping profile. Each is priced whenever the cart
/// changes.
pub const CART_SHIPPING_METHODS_MAX: usize = 20;

/// Promotions that one request adds to a campaign and removes from it: each is a record that is rewritten.
pub const CAMPAIGN_PROMOTIONS_AT_ONCE_MAX: usize = 1_000;

/// Backups that are kept in the folder for them, unless it is set.
pub const BACKUPS_KEPT_MAX: usize = 7;

/// Bytes that one transaction may write where several hosts share a store: it is one statement of PostgreSQL,
/// and every host holds it in memory while it is brought over.
pub const TRANSACTION_BYTES_MAX: u64 = 64 * 1024 * 1024;
