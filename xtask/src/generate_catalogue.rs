//! `cargo xtask generate-catalogue`: writes a catalogue file of any size, for measurements: the same bytes
//! for the same arguments.

use std::{
    fs,
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use anyhow::Context as _;

/// In the titles of every second product.
pub(crate) const COMMON_WORD: &str = "Original";
/// In the titles of so many products of any catalogue.
pub(crate) const RARE_WORD: &str = "Quixotry";
const N_RARE: u64 = 10;
/// The category of every second product.
pub(crate) const COMMON_CATEGORY: &str = "category-0";
/// Stock of each variant at a location, at least: more than a measurement buys.
const STOCK_MIN: u64 = 10_000_000;
/// Different words of titles.
const N_WORDS: usize = 50_000;
const N_CATEGORIES: u64 = 200;
const N_COLLECTIONS: u64 = 50;
const N_TYPES: u64 = 30;
const LOCATIONS: [&str; 2] = ["north", "south"];

/// What a generated catalogue holds. Each product has two variants, with prices in two currencies, and stock
/// at two locations. Every second title begins with `Original`, and these products are in one category; ten
/// end with a word that no other has; the other words are drawn by Zipf's law.
pub(crate) struct Shape {
    pub(crate) n_products: u64,
    pub(crate) n_channels: u64,
    /// Channels of each product, the first channel among them; without a number each product is in the first
    /// channel, and in each other one by the toss of a coin.
    pub(crate) channels_of_each: Option<u64>,
    /// Other seeds make other products.
    pub(crate) seed: u64,
}

pub(crate) fn run(args: &[String]) -> anyhow::Result<ExitCode> {
    const USAGE: &str =
        "usage: cargo xtask generate-catalogue FILE PRODUCTS CHANNELS [CHANNELS-OF-EACH-PRODUCT]";
    let (file, numbers) = args.split_first().context(USAGE)?;
    let numbers: Vec<u64> = numbers.iter().map(|it| it.parse()).collect::<Result<_, _>>().context(USAGE)?;
    let (n_products, n_channels, channels_of_each) = match numbers[..] {
        [n_products, n_channels] => (n_products, n_channels, None),
        [n_products, n_channels, of_each] => (n_products, n_channels, Some(of_each)),
        _ => anyhow::bail!(USAGE),
    };
    anyhow::ensure!(n_channels >= channels_of_each.unwrap_or(1).max(1), "a product needs as many channels");
    let mut out = BufWriter::new(fs::File::create(file).with_context(|| format!("cannot write `{file}`"))?);
    generate_catalogue(&mut out, &Shape { n_products, n_channels, channels_of_each, seed: 1 })?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the file.
pub(crate) fn generate_catalogue(out: &mut impl Write, shape: &Shape) -> io::Result<()> {
    let mut random = Random(shape.seed);
    let vocabulary = Vocabulary::new();
    list(out, "{\n\"sales_channels\"", shape.n_channels, |out, n| {
        // Only the first ones make a region.
        let region = ["de", "fr", "it", "es", "nl"].get(n as usize);
        let region =
            region.map_or_else(String::new, |it| format!(r#","currency_code":"eur","country_code":"{it}""#));
        write!(out, r#"{{"handle":"channel-{n}","name":"Channel {n}"{region}}}"#)
    })?;
    list(out, ",\n\"stock_locations\"", LOCATIONS.len() as u64, |out, n| {
        let name = LOCATIONS[n as usize];
        let channels: Vec<String> = (0..shape.n_channels).map(|it| format!("\"channel-{it}\"")).collect();
        write!(out, r#"{{"handle":"{name}","name":"{name}","sales_channels":[{}]}}"#, channels.join(","))
    })?;
    list(out, ",\n\"categories\"", N_CATEGORIES, |out, n| {
        let parent = if n < 10 { String::new() } else { format!(r#","parent":"category-{}""#, n / 10) };
        write!(out, r#"{{"handle":"category-{n}","name":"Category {n}"{parent}}}"#)
    })?;
    list(out, ",\n\"collections\"", N_COLLECTIONS, |out, n| {
        write!(out, r#"{{"handle":"collection-{n}","title":"Collection {n}"}}"#)
    })?;
    list(out, ",\n\"products\"", shape.n_products, |out, n| {
        product(out, &mut random, &vocabulary, shape, n)
    })?;
    writeln!(out, "\n}}")
}

fn list<W: Write>(
    out: &mut W,
    name: &str,
    n: u64,
    mut write: impl FnMut(&mut W, u64) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "{name}: [")?;
    for it in 0..n {
        out.write_all(if it == 0 { b"\n" } else { b",\n" })?;
        write(out, it)?;
    }
    write!(out, "\n]")
}

fn product(
    out: &mut impl Write,
    random: &mut Random,
    vocabulary: &Vocabulary,
    shape: &Shape,
    n: u64,
) -> io::Result<()> {
    let is_common = n.is_multiple_of(2);
    let mut words = vec![if is_common { COMMON_WORD } else { "New" }];
    words.extend((0..2 + random.below(3)).map(|_| vocabulary.draw(random)));
    if n.is_multiple_of(shape.n_products.div_ceil(N_RARE)) {
        words.push(RARE_WORD);
    }
    let category = if is_common {
        COMMON_CATEGORY.to_owned()
    } else {
        format!("category-{}", 1 + random.below(N_CATEGORIES - 1))
    };
    let title = words.join(" ");
    write!(
        out,
        r#"{{"handle":"product-{n}","title":"{title}","description":"{title}, number {n}.","type":"Type {}","category":"{category}","collections":["collection-{}"],"listings":["#,
        random.below(N_TYPES),
        random.below(N_COLLECTIONS)
    )?;
    let mut channels = vec![0];
    match shape.channels_of_each {
        None => channels.extend((1..shape.n_channels).filter(|_| random.below(2) == 0)),
        Some(of_each) => {
            while (channels.len() as u64) < of_each {
                let channel = 1 + random.below(shape.n_channels - 1);
                if !channels.contains(&channel) {
                    channels.push(channel);
                }
            }
        }
    }
    for (at, channel) in channels.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(out, r#"{comma}{{"channel":"channel-{channel}","published":true}}"#)?;
    }
    out.write_all(b"],\"variants\":[")?;
    for (at, variant) in ["Small", "Large"].iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let (euros, cents) = (5 + random.below(200), random.below(100));
        write!(
            out,
            r#"{comma}{{"sku":"SKU-{n}-{at}","title":"{variant}","manage_inventory":true,"prices":[{{"currency_code":"eur","amount":"{euros}.{cents:02}"}},{{"currency_code":"usd","amount":"{}.{cents:02}"}}],"stock":["#,
            euros + 1
        )?;
        for (at, location) in LOCATIONS.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let stocked = STOCK_MIN + random.below(500);
            write!(out, r#"{comma}{{"location":"{location}","stocked_quantity":{stocked}}}"#)?;
        }
        out.write_all(b"]}")?;
    }
    out.write_all(b"]}")
}

/// A small generator of random numbers (SplitMix64): the same ones in every version of every program.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }

    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

/// Words by their rank: the second is drawn half as often as the first, the third a third as often.
pub(crate) struct Vocabulary {
    words: Vec<String>,
    /// The sum of the weights up to each word.
    sums: Vec<f64>,
}

impl Vocabulary {
    pub(crate) fn new() -> Vocabulary {
        const SYLLABLES: [&str; 37] = [
            "ba", "bel", "cor", "da", "den", "el", "fa", "fin", "ga", "gor", "ha", "il", "jo", "ka", "kel",
            "la", "lin", "ma", "mor", "na", "nel", "or", "pa", "per", "qui", "ra", "ris", "sa", "sol", "ta",
            "ter", "ul", "va", "ven", "wa", "xi", "zo",
        ];
        let word = |rank: usize| {
            // 37³ is just above the number of words: each rank has syllables of its own.
            let n = SYLLABLES.len();
            [rank % n, rank / n % n, rank / n / n].map(|it| SYLLABLES[it]).concat()
        };
        let mut sum = 0.0;
        let sums = (1..=N_WORDS).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Vocabulary { sums: sums.collect(), words: (0..N_WORDS).map(word).collect() }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> &str {
        let all = self.sums[N_WORDS - 1];
        let at = random.next() as f64 / u64::MAX as f64 * all;
        let rank = self.sums.partition_point(|sum| *sum < at);
        &self.words[rank.min(N_WORDS - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_catalogue_is_the_same_every_time() {
        let write = |seed| {
            let mut out = Vec::new();
            let shape = Shape { n_products: 40, n_channels: 5, channels_of_each: None, seed };
            generate_catalogue(&mut out, &shape).expect("a catalogue");
            String::from_utf8(out).expect("text")
        };
        assert_eq!(write(1), write(1));
        assert_ne!(write(1), write(2));
        assert_eq!(write(1).matches("\"title\":\"Original ").count(), 20);
        assert_eq!(write(1).matches("Quixotry\",\"desc").count(), 10);
        assert_eq!(write(1).matches("\"channel\":\"channel-0\"").count(), 40);
    }
}
