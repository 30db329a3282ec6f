//! A catalogue to try things with: an outdoor and coffee shop on an atoll, sold through four channels.

use crate::{
    Catalogue, CatalogueCategory, CatalogueChannel, CatalogueCollection, CatalogueListing, CatalogueLocation,
    CataloguePart, CataloguePrice, CatalogueProduct, CatalogueStock, CatalogueVariant,
};

/// The demo catalogue: 40 products, some of them kits, at three locations. It is the same every time.
pub fn catalogue() -> Catalogue {
    Catalogue {
        source: Some("Atoll demo".into()),
        sales_channels: CHANNELS.iter().map(channel).collect(),
        stock_locations: LOCATIONS.iter().map(location).collect(),
        categories: CATEGORIES.iter().map(category).collect(),
        collections: COLLECTIONS.iter().map(collection).collect(),
        products: PRODUCTS.iter().map(product).collect(),
    }
}

fn channel(&(handle, name, description, is_disabled, currency, country): &Channel) -> CatalogueChannel {
    CatalogueChannel {
        handle: handle.into(),
        name: name.into(),
        description: Some(description.into()),
        is_disabled,
        currency_code: Some(currency.into()),
        country_code: Some(country.into()),
    }
}

fn location(&(handle, name, channels): &Location) -> CatalogueLocation {
    let sales_channels = channels.iter().map(|&it| it.into()).collect();
    CatalogueLocation { handle: handle.into(), name: name.into(), sales_channels }
}

fn category(&(handle, name, parent): &Category) -> CatalogueCategory {
    CatalogueCategory { handle: handle.into(), name: name.into(), parent: parent.map(Into::into) }
}

fn collection(&(handle, title): &Collection) -> CatalogueCollection {
    CatalogueCollection { handle: handle.into(), title: title.into() }
}

fn product(&(handle, title, description, place, variants): &Product) -> CatalogueProduct {
    let (kind, category, collection, channels) = place;
    CatalogueProduct {
        handle: handle.into(),
        title: title.into(),
        description: Some(description.into()),
        r#type: Some(kind.into()),
        category: Some(category.into()),
        collections: collection.into_iter().map(Into::into).collect(),
        images: Vec::new(),
        listings: channels.iter().map(|&it| listing(it)).collect(),
        variants: variants.iter().map(variant).collect(),
    }
}

fn listing(channel: &str) -> CatalogueListing {
    CatalogueListing { channel: channel.into(), published: true, ..CatalogueListing::default() }
}

fn variant((sku, title, eur, usd, supply): &Variant) -> CatalogueVariant {
    let (stock, parts): (&[_], &[_]) = match *supply {
        Stock(stock) | Backorder(stock) => (stock, &[]),
        Kit(parts) => (&[], parts),
        Uncounted => (&[], &[]),
    };
    CatalogueVariant {
        sku: Some((*sku).into()),
        title: (*title).into(),
        manage_inventory: !matches!(supply, Uncounted),
        allow_backorder: matches!(supply, Backorder(_)),
        prices: vec![price("eur", eur), price("usd", usd)],
        stock: stock.iter().map(stocked).collect(),
        parts: parts.iter().map(part).collect(),
    }
}

fn price(currency_code: &str, amount: &str) -> CataloguePrice {
    CataloguePrice { currency_code: currency_code.into(), amount: amount.into() }
}

fn stocked(&(location, stocked_quantity): &(&str, i64)) -> CatalogueStock {
    CatalogueStock { location: location.into(), stocked_quantity: stocked_quantity.into() }
}

fn part(&(sku, quantity): &(&str, i64)) -> CataloguePart {
    CataloguePart { sku: sku.into(), quantity: quantity.into() }
}

/// Handle, name, description, whether it is disabled, currency, country.
type Channel = (&'static str, &'static str, &'static str, bool, &'static str, &'static str);

/// Handle, name, channels that sell from it.
type Location = (&'static str, &'static str, &'static [&'static str]);

/// Handle, name, parent.
type Category = (&'static str, &'static str, Option<&'static str>);

/// Handle, title.
type Collection = (&'static str, &'static str);

/// Handle, title, description, place, variants.
type Product = (&'static str, &'static str, &'static str, Place, &'static [Variant]);

/// Type, category, collection, channels that list it.
type Place = (&'static str, &'static str, Option<&'static str>, &'static [&'static str]);

/// SKU, title, price in euros, price in dollars, supply.
type Variant = (&'static str, &'static str, &'static str, &'static str, Supply);

/// Where a variant comes from when it is sold.
enum Supply {
    /// So many at these locations.
    Stock(&'static [(&'static str, i64)]),
    /// So many at these locations, and more can be ordered.
    Backorder(&'static [(&'static str, i64)]),
    /// So many of these SKUs.
    Kit(&'static [(&'static str, i64)]),
    /// It is digital and never runs out.
    Uncounted,
}

use Supply::{Backorder, Kit, Stock, Uncounted};

/// Handle and name of the channel that is the store's default one in the demo.
pub const DEFAULT_CHANNEL: (&str, &str) = (WEB, "Web Shop");

const WEB: &str = "web-shop";
const APP: &str = "mobile-app";
const B2B: &str = "b2b-portal";
const MARKET: &str = "marketplace";

const LAGOON: &str = "lagoon-warehouse";
const REEF: &str = "reef-store";
const DEPOT: &str = "mainland-depot";

const CHANNELS: &[Channel] = &[
    (WEB, DEFAULT_CHANNEL.1, "The shop on the web, for everyone.", false, "eur", "de"),
    (APP, "Mobile App", "The app for phones, with a smaller range.", false, "eur", "fr"),
    (B2B, "B2B Portal", "For cafés, offices and outfitters that buy by the case.", false, "usd", "us"),
    (MARKET, "Marketplace", "A marketplace run by someone else, switched off for now.", true, "eur", "it"),
];

const LOCATIONS: &[Location] = &[
    (LAGOON, "Lagoon Warehouse", &[WEB, APP, B2B]),
    (REEF, "Reef Store", &[WEB, APP]),
    (DEPOT, "Mainland Depot", &[B2B, MARKET]),
];

const CATEGORIES: &[Category] = &[
    ("outdoor", "Outdoor", None),
    ("shelter-and-sleep", "Shelter and Sleep", Some("outdoor")),
    ("camp-kitchen", "Camp Kitchen", Some("outdoor")),
    ("on-the-water", "On the Water", Some("outdoor")),
    ("coffee", "Coffee", None),
    ("beans", "Beans", Some("coffee")),
    ("brewing", "Brewing", Some("coffee")),
    ("clothing", "Clothing", None),
    ("gifts-and-guides", "Gifts and Guides", None),
];

const COLLECTIONS: &[Collection] = &[
    ("first-light", "First Light"),
    ("rainy-season", "Rainy Season"),
    ("crew-favourites", "Crew Favourites"),
];

/// A kit takes the items of variants that were read before it, so the kits come after their parts.
const PRODUCTS: &[Product] = &[
    (
        "lagoon-tent",
        "Lagoon Tent",
        "A freestanding dome tent with two doors and a mesh roof for warm nights.",
        ("Tent", "shelter-and-sleep", Some("crew-favourites"), &[WEB, APP, B2B]),
        &[
            ("TENT-LAG-2", "2-person", "249.00", "269.00", Stock(&[(LAGOON, 14), (REEF, 3), (DEPOT, 6)])),
            ("TENT-LAG-3", "3-person", "299.00", "329.00", Stock(&[(LAGOON, 9), (REEF, 2)])),
            ("TENT-LAG-4", "4-person", "369.00", "399.00", Stock(&[(LAGOON, 5), (DEPOT, 4)])),
        ],
    ),
    (
        "trade-wind-tarp",
        "Trade Wind Tarp",
        "A ripstop tarp with eight guy lines that keeps off sun and rain.",
        ("Tent", "shelter-and-sleep", Some("rainy-season"), &[WEB, APP]),
        &[
            ("TARP-TW-33", "3 × 3 m", "79.00", "85.00", Stock(&[(LAGOON, 31), (REEF, 7)])),
            ("TARP-TW-34", "3 × 4 m", "95.00", "105.00", Stock(&[(LAGOON, 18), (REEF, 4)])),
        ],
    ),
    (
        "palm-hammock",
        "Palm Hammock",
        "A parachute-cloth hammock for one, packed with two tree straps.",
        ("Hammock", "shelter-and-sleep", None, &[WEB, APP]),
        &[
            ("HAM-PALM-SND", "Sand", "59.90", "64.90", Stock(&[(LAGOON, 22), (REEF, 8)])),
            ("HAM-PALM-GRN", "Deep Green", "59.90", "64.90", Stock(&[(LAGOON, 17), (REEF, 5)])),
            ("HAM-PALM-COR", "Coral", "59.90", "64.90", Stock(&[(REEF, 6)])),
        ],
    ),
    (
        "tidepool-sleeping-bag",
        "Tidepool Sleeping Bag",
        "A synthetic summer sleeping bag that opens flat into a blanket.",
        ("Sleeping Gear", "shelter-and-sleep", None, &[WEB]),
        &[
            ("BAG-TIDE-R", "Regular", "119.00", "129.00", Stock(&[(LAGOON, 16), (REEF, 2)])),
            ("BAG-TIDE-L", "Long", "129.00", "139.00", Stock(&[(LAGOON, 8)])),
        ],
    ),
    (
        "driftwood-sleeping-mat",
        "Driftwood Sleeping Mat",
        "A self-inflating mat, 5 cm thick, with a patch kit in the stuff sack.",
        ("Sleeping Gear", "shelter-and-sleep", None, &[WEB, B2B]),
        &[("MAT-DRIFT", "183 × 51 cm", "69.00", "75.00", Stock(&[(LAGOON, 27), (DEPOT, 12)]))],
    ),
    (
        "storm-lantern",
        "Storm Lantern",
        "A rechargeable lantern that runs for 40 hours on its lowest setting.",
        ("Light", "outdoor", Some("rainy-season"), &[WEB, B2B, MARKET]),
        &[
            ("LANT-STORM-BLK", "Black", "44.90", "48.90", Stock(&[(LAGOON, 33), (REEF, 9), (DEPOT, 20)])),
            // The web shop does not sell from the depot, so there it is sold out in red.
            ("LANT-STORM-RED", "Red", "44.90", "48.90", Stock(&[(DEPOT, 11)])),
        ],
    ),
    (
        "night-heron-headlamp",
        "Night Heron Headlamp",
        "A waterproof headlamp with a red mode that spares the eyes of others.",
        ("Light", "outdoor", None, &[WEB, APP]),
        &[("LAMP-HERON", "350 lumens", "39.90", "42.90", Stock(&[(LAGOON, 45), (REEF, 13)]))],
    ),
    (
        "mangrove-day-pack",
        "Mangrove Day Pack",
        "A light pack with a vented back and a pocket for a wet towel.",
        ("Pack", "outdoor", None, &[WEB, APP]),
        &[
            ("PACK-MAN-18", "18 L", "74.00", "79.00", Stock(&[(LAGOON, 24), (REEF, 6)])),
            ("PACK-MAN-28", "28 L", "92.00", "99.00", Stock(&[(LAGOON, 15), (REEF, 4)])),
        ],
    ),
    (
        "island-first-aid-kit",
        "Island First Aid Kit",
        "Dressings, tweezers and vinegar sachets for cuts, spines and stings.",
        ("Safety", "outdoor", None, &[WEB, B2B]),
        &[
            ("AID-ISL-S", "For 2 people", "24.90", "26.90", Stock(&[(LAGOON, 38), (REEF, 10)])),
            ("AID-ISL-L", "For 8 people", "54.00", "59.00", Stock(&[(LAGOON, 12), (DEPOT, 25)])),
        ],
    ),
    (
        "ember-gas-stove",
        "Ember Gas Stove",
        "A folding burner that screws onto a canister and boils a litre in four minutes.",
        ("Cookware", "camp-kitchen", None, &[WEB, APP]),
        &[("STOVE-EMBER", "Screw-on", "49.90", "54.90", Stock(&[(LAGOON, 21), (REEF, 7)]))],
    ),
    (
        "gas-canister",
        "Gas Canister",
        "A canister of isobutane and propane with a standard screw valve.",
        ("Fuel", "camp-kitchen", None, &[WEB]),
        &[
            ("GAS-100", "100 g", "5.90", "6.50", Stock(&[(LAGOON, 140), (REEF, 36)])),
            ("GAS-230", "230 g", "8.90", "9.90", Stock(&[(LAGOON, 110), (REEF, 28)])),
            ("GAS-450", "450 g", "13.90", "14.90", Stock(&[(LAGOON, 60)])),
        ],
    ),
    (
        "castaway-cook-set",
        "Castaway Cook Set",
        "Hard-anodised pots that nest into each other, with a lid that strains.",
        ("Cookware", "camp-kitchen", None, &[WEB]),
        &[
            ("COOK-CAST-1", "1-person", "34.90", "37.90", Stock(&[(LAGOON, 19), (REEF, 3)])),
            ("COOK-CAST-2", "2-person", "52.00", "56.00", Stock(&[(LAGOON, 13), (REEF, 2)])),
        ],
    ),
    (
        "enamel-mug",
        "Enamel Mug",
        "A steel mug of 350 ml, enamelled twice and safe over an open fire.",
        ("Tableware", "camp-kitchen", Some("first-light"), &[WEB, APP, B2B, MARKET]),
        &[
            ("MUG-WHT", "White", "12.90", "13.90", Stock(&[(LAGOON, 84), (REEF, 21), (DEPOT, 60)])),
            ("MUG-NVY", "Navy", "12.90", "13.90", Stock(&[(LAGOON, 62), (REEF, 14), (DEPOT, 48)])),
            ("MUG-COR", "Coral", "12.90", "13.90", Stock(&[(LAGOON, 9), (REEF, 18)])),
            ("MUG-MOS", "Moss", "12.90", "13.90", Stock(&[(LAGOON, 40), (DEPOT, 24)])),
        ],
    ),
    (
        "long-spoon",
        "Long Spoon",
        "A spoon long enough to reach the bottom of a meal pouch.",
        ("Tableware", "camp-kitchen", None, &[WEB]),
        &[
            ("SPOON-STL", "Steel", "6.90", "7.50", Stock(&[(LAGOON, 75), (REEF, 30)])),
            ("SPOON-TIT", "Titanium", "13.90", "14.90", Stock(&[(LAGOON, 26)])),
        ],
    ),
    (
        "reef-cooler-box",
        "Reef Cooler Box",
        "An insulated box with a drain plug that keeps ice for three days.",
        ("Cooler", "camp-kitchen", None, &[WEB, B2B]),
        &[
            ("COOL-REEF-20", "20 L", "109.00", "119.00", Stock(&[(LAGOON, 10), (REEF, 3), (DEPOT, 5)])),
            ("COOL-REEF-35", "35 L", "159.00", "169.00", Backorder(&[(LAGOON, 2)])),
        ],
    ),
    (
        "clearwater-snorkel-set",
        "Clearwater Snorkel Set",
        "A mask with tempered glass and a snorkel with a dry top.",
        ("Snorkelling", "on-the-water", None, &[WEB, APP]),
        &[
            ("SNORK-CLR-S", "Small", "42.00", "45.00", Stock(&[(LAGOON, 18), (REEF, 12)])),
            ("SNORK-CLR-M", "Medium", "42.00", "45.00", Stock(&[(LAGOON, 25), (REEF, 16)])),
            ("SNORK-CLR-L", "Large", "42.00", "45.00", Stock(&[(LAGOON, 11), (REEF, 0)])),
        ],
    ),
    (
        "roll-top-dry-bag",
        "Roll-Top Dry Bag",
        "A welded bag that stays dry inside when it goes overboard.",
        ("Bag", "on-the-water", Some("rainy-season"), &[WEB, APP, B2B, MARKET]),
        &[
            ("DRY-05", "5 L", "14.90", "15.90", Stock(&[(LAGOON, 70), (REEF, 22)])),
            ("DRY-10", "10 L", "18.90", "19.90", Stock(&[(LAGOON, 66), (REEF, 19), (DEPOT, 30)])),
            ("DRY-20", "20 L", "24.90", "26.90", Stock(&[(LAGOON, 41), (REEF, 8), (DEPOT, 30)])),
            ("DRY-40", "40 L", "34.90", "37.90", Stock(&[(LAGOON, 12), (DEPOT, 15)])),
        ],
    ),
    (
        "outrigger-inflatable-kayak",
        "Outrigger Inflatable Kayak",
        "A drop-stitch kayak that packs into a bag the size of a suitcase.",
        ("Boat", "on-the-water", None, &[WEB]),
        &[
            ("KAYAK-OUT-1", "Single", "549.00", "589.00", Stock(&[(LAGOON, 4), (REEF, 2)])),
            // A single one is left, to try what happens when two carts want it.
            ("KAYAK-OUT-2", "Double", "749.00", "799.00", Stock(&[(REEF, 1)])),
        ],
    ),
    (
        "four-piece-paddle",
        "Four-Piece Paddle",
        "A fibreglass paddle that comes apart for transport.",
        ("Boat", "on-the-water", None, &[WEB]),
        &[
            ("PADDLE-220", "220 cm", "89.00", "95.00", Stock(&[(LAGOON, 13), (REEF, 5)])),
            ("PADDLE-230", "230 cm", "89.00", "95.00", Stock(&[(LAGOON, 9), (REEF, 3)])),
        ],
    ),
    (
        "mineral-sunscreen",
        "Mineral Sunscreen SPF 50",
        "A zinc oxide sunscreen without the filters that harm coral.",
        ("Skin Care", "on-the-water", Some("crew-favourites"), &[WEB, APP]),
        &[
            ("SUN-50-050", "50 ml", "13.50", "14.50", Stock(&[(LAGOON, 120), (REEF, 44)])),
            ("SUN-50-150", "150 ml", "26.50", "28.50", Stock(&[(LAGOON, 58), (REEF, 20)])),
        ],
    ),
    (
        "steel-water-bottle",
        "Steel Water Bottle",
        "A double-walled bottle that keeps drinks cold for a day.",
        ("Bottle", "outdoor", None, &[WEB, APP, B2B]),
        &[
            ("BOT-STL-050", "0.5 L", "27.90", "29.90", Stock(&[(LAGOON, 52), (REEF, 17), (DEPOT, 36)])),
            ("BOT-STL-075", "0.75 L", "31.90", "34.90", Stock(&[(LAGOON, 47), (REEF, 11), (DEPOT, 36)])),
            ("BOT-STL-100", "1 L", "35.90", "38.90", Stock(&[(LAGOON, 29), (REEF, 6)])),
        ],
    ),
    (
        "atoll-house-blend",
        "Atoll House Blend",
        "A medium roast from Brazil and Guatemala that tastes of cocoa and hazelnut.",
        ("Coffee", "beans", Some("first-light"), &[WEB, APP, B2B]),
        &[
            ("COF-HOUSE-250", "250 g", "9.50", "10.50", Stock(&[(LAGOON, 160), (REEF, 48)])),
            ("COF-HOUSE-1000", "1 kg", "32.00", "35.00", Stock(&[(LAGOON, 75), (REEF, 10), (DEPOT, 90)])),
        ],
    ),
    (
        "ethiopia-guji",
        "Ethiopia Guji",
        "A light roast of washed beans that tastes of bergamot and peach.",
        ("Coffee", "beans", Some("first-light"), &[WEB, APP]),
        &[
            ("COF-GUJI-250", "250 g", "13.90", "14.90", Stock(&[(LAGOON, 64), (REEF, 20)])),
            ("COF-GUJI-1000", "1 kg", "48.00", "52.00", Stock(&[(LAGOON, 14)])),
        ],
    ),
    (
        "sumatra-gayo",
        "Sumatra Gayo",
        "A dark roast of wet-hulled beans that tastes of cedar and dark chocolate.",
        ("Coffee", "beans", None, &[WEB]),
        &[
            ("COF-GAYO-250", "250 g", "11.90", "12.90", Stock(&[(LAGOON, 55), (REEF, 15)])),
            ("COF-GAYO-1000", "1 kg", "41.00", "44.00", Stock(&[(LAGOON, 20)])),
        ],
    ),
    (
        "decaf-huila",
        "Decaf Huila",
        "A Colombian coffee, decaffeinated with cane sugar alcohol.",
        ("Coffee", "beans", None, &[WEB]),
        &[("COF-DECAF-250", "250 g", "12.50", "13.50", Stock(&[(LAGOON, 37), (REEF, 9)]))],
    ),
    (
        "espresso-number-four",
        "Espresso Number Four",
        "An espresso roast with a quarter of robusta for a thick crema.",
        ("Coffee", "beans", None, &[WEB, B2B]),
        &[
            ("COF-ESP4-250", "250 g", "10.50", "11.50", Stock(&[(LAGOON, 88), (REEF, 26)])),
            ("COF-ESP4-1000", "1 kg", "36.00", "39.00", Stock(&[(LAGOON, 50), (DEPOT, 110)])),
        ],
    ),
    (
        "green-coffee-sack",
        "Green Coffee Sack",
        "Unroasted Santos beans for cafés that roast their own.",
        ("Coffee", "beans", None, &[B2B]),
        &[
            ("COF-GREEN-15", "15 kg", "129.00", "139.00", Stock(&[(LAGOON, 6), (DEPOT, 22)])),
            ("COF-GREEN-60", "60 kg", "469.00", "499.00", Backorder(&[(DEPOT, 3)])),
        ],
    ),
    (
        "shell-pour-over-dripper",
        "Shell Pour-Over Dripper",
        "A porcelain dripper with spiral ribs for cone filters.",
        ("Brewer", "brewing", Some("first-light"), &[WEB, APP]),
        &[
            ("DRIP-SHELL-1", "1 to 2 cups", "22.00", "24.00", Stock(&[(LAGOON, 34), (REEF, 12)])),
            ("DRIP-SHELL-2", "1 to 4 cups", "26.00", "28.00", Stock(&[(LAGOON, 23), (REEF, 5)])),
        ],
    ),
    (
        "cone-filter-papers",
        "Cone Filter Papers",
        "Unbleached papers for the larger pour-over dripper.",
        ("Filter", "brewing", None, &[WEB, B2B]),
        &[
            ("FILT-CONE-40", "40 papers", "3.90", "4.20", Stock(&[(LAGOON, 130), (REEF, 40)])),
            ("FILT-CONE-100", "100 papers", "7.90", "8.50", Stock(&[(LAGOON, 95), (REEF, 18), (DEPOT, 70)])),
        ],
    ),
    (
        "pocket-hand-grinder",
        "Pocket Hand Grinder",
        "A steel burr grinder for 20 g of beans, with 36 steps.",
        ("Grinder", "brewing", Some("crew-favourites"), &[WEB, APP, MARKET]),
        &[
            ("GRIND-PKT-BLK", "Black", "84.00", "89.00", Stock(&[(LAGOON, 19), (REEF, 4), (DEPOT, 8)])),
            ("GRIND-PKT-SLV", "Silver", "84.00", "89.00", Stock(&[(LAGOON, 7)])),
        ],
    ),
    (
        "gooseneck-kettle",
        "Gooseneck Kettle",
        "A stove-top kettle with a thin spout and a thermometer in the lid.",
        ("Kettle", "brewing", None, &[WEB]),
        &[("KETTLE-GOOSE", "0.9 L", "58.00", "62.00", Stock(&[(LAGOON, 16), (REEF, 5)]))],
    ),
    (
        "cold-brew-jug",
        "Cold Brew Jug",
        "A glass jug with a fine steel filter for a night in the refrigerator.",
        ("Brewer", "brewing", None, &[WEB, B2B]),
        &[("JUG-COLD", "1 L", "36.90", "39.90", Stock(&[(LAGOON, 28), (REEF, 9), (DEPOT, 14)]))],
    ),
    (
        "monsoon-rain-jacket",
        "Monsoon Rain Jacket",
        "A three-layer jacket with vents under the arms and a hood that fits over a cap.",
        ("Jacket", "clothing", Some("rainy-season"), &[WEB, APP]),
        &[
            ("RAIN-MON-S", "S", "149.00", "159.00", Stock(&[(LAGOON, 8), (REEF, 2)])),
            // It is sold out everywhere, to try what a shop shows then.
            ("RAIN-MON-M", "M", "149.00", "159.00", Stock(&[(LAGOON, 0), (REEF, 0)])),
            ("RAIN-MON-L", "L", "149.00", "159.00", Stock(&[(LAGOON, 11), (REEF, 3)])),
            ("RAIN-MON-XL", "XL", "149.00", "159.00", Stock(&[(LAGOON, 6)])),
        ],
    ),
    (
        "surge-rash-guard",
        "Surge Rash Guard",
        "A long-sleeved swim shirt with sun protection, knitted from recycled nylon.",
        ("Shirt", "clothing", None, &[WEB, APP]),
        &[
            ("RASH-SRG-S", "S", "45.00", "49.00", Stock(&[(LAGOON, 20), (REEF, 9)])),
            ("RASH-SRG-M", "M", "45.00", "49.00", Stock(&[(LAGOON, 26), (REEF, 13)])),
            ("RASH-SRG-L", "L", "45.00", "49.00", Stock(&[(LAGOON, 23), (REEF, 7)])),
        ],
    ),
    (
        "second-hand-lagoon-tent",
        "Second-Hand Lagoon Tent",
        "A returned 2-person tent that was cleaned, checked and waterproofed again.",
        ("Tent", "shelter-and-sleep", None, &[MARKET]),
        &[("TENT-LAG-2-USED", "2-person", "139.00", "149.00", Stock(&[(DEPOT, 5)]))],
    ),
    (
        "gift-card",
        "Gift Card",
        "A code by e-mail that pays for anything in the shop.",
        ("Gift Card", "gifts-and-guides", None, &[WEB, APP]),
        &[
            ("GIFT-25", "25", "25.00", "25.00", Uncounted),
            ("GIFT-50", "50", "50.00", "50.00", Uncounted),
            ("GIFT-100", "100", "100.00", "100.00", Uncounted),
        ],
    ),
    (
        "tides-and-trails-guide",
        "Tides and Trails Guide",
        "A field guide to the atoll as a file, with maps, tide tables and birds.",
        ("Guide", "gifts-and-guides", None, &[WEB, APP]),
        &[("GUIDE-TIDES", "PDF", "9.90", "10.90", Uncounted)],
    ),
    (
        "pour-over-starter-set",
        "Pour-Over Starter Set",
        "The larger dripper with 100 papers and a bag of the house blend.",
        ("Set", "brewing", Some("first-light"), &[WEB, APP]),
        &[(
            "SET-POUR",
            "With house blend",
            "39.00",
            "42.00",
            Kit(&[("DRIP-SHELL-2", 1), ("FILT-CONE-100", 1), ("COF-HOUSE-250", 1)]),
        )],
    ),
    (
        "office-coffee-box",
        "Office Coffee Box",
        "Three kilos of one coffee and the papers to brew it with.",
        ("Set", "coffee", None, &[WEB, B2B]),
        &[
            // The papers are in the starter set, too, so a sale of either leaves fewer of both.
            (
                "BOX-OFFICE-HOUSE",
                "House blend",
                "98.00",
                "106.00",
                Kit(&[("COF-HOUSE-1000", 3), ("FILT-CONE-100", 1)]),
            ),
            (
                "BOX-OFFICE-ESP4",
                "Espresso",
                "109.00",
                "118.00",
                Kit(&[("COF-ESP4-1000", 3), ("FILT-CONE-100", 1)]),
            ),
        ],
    ),
    (
        "camp-breakfast-set",
        "Camp Breakfast Set",
        "A stove, a canister, pots for two and two white mugs.",
        ("Set", "camp-kitchen", Some("crew-favourites"), &[WEB]),
        &[(
            "SET-BREAKFAST",
            "For two",
            "125.00",
            "135.00",
            Kit(&[("STOVE-EMBER", 1), ("GAS-230", 1), ("COOK-CAST-2", 1), ("MUG-WHT", 2)]),
        )],
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use atoll_kernel::Decimal;

    use super::*;

    /// Says whether `text` is made of lower-case words with hyphens between them.
    fn is_kebab(text: &str) -> bool {
        let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
        text.split('-').all(|word| !word.is_empty() && word.chars().all(plain))
    }

    fn listed_in(catalogue: &Catalogue, channel: &str) -> usize {
        let listed = |it: &&CatalogueProduct| it.listings.iter().any(|it| it.channel == channel);
        catalogue.products.iter().filter(listed).count()
    }

    #[test]
    fn it_holds_what_it_promises() {
        let it = catalogue();
        let channels: HashSet<_> = it.sales_channels.iter().map(|it| it.handle.as_str()).collect();
        let locations: HashSet<_> = it.stock_locations.iter().map(|it| it.handle.as_str()).collect();
        let collections: HashSet<_> = it.collections.iter().map(|it| it.handle.as_str()).collect();
        let mut categories = HashSet::new();
        for category in &it.categories {
            assert!(category.parent.as_deref().is_none_or(|it| categories.contains(it)), "{category:?}");
            assert!(categories.insert(category.handle.as_str()), "{category:?}");
        }
        assert_eq!((it.products.len(), channels.len(), locations.len(), collections.len()), (40, 4, 3, 3));
        assert_eq!(it.sales_channels.iter().filter(|it| it.is_disabled).count(), 1);
        assert!(
            it.stock_locations.iter().flat_map(|it| &it.sales_channels).all(|it| channels.contains(&**it))
        );
        assert_eq!([WEB, APP, B2B, MARKET].map(|channel| listed_in(&it, channel)), [38, 20, 14, 5]);

        let (mut handles, mut skus, mut totals) = (HashSet::new(), HashSet::new(), Vec::new());
        let (mut kits, mut uncounted, mut backordered) = (0, 0, 0);
        for product in &it.products {
            assert!(is_kebab(&product.handle) && handles.insert(&product.handle), "{}", product.handle);
            assert!(
                product.category.as_deref().is_some_and(|it| categories.contains(it)),
                "{}",
                product.handle
            );
            assert!(product.collections.iter().all(|it| collections.contains(&**it)), "{}", product.handle);
            assert!(product.listings.iter().any(|it| it.published), "{}", product.handle);
            assert!(product.listings.iter().all(|it| channels.contains(&*it.channel)), "{}", product.handle);
            let titles: HashSet<_> = product.variants.iter().map(|it| &it.title).collect();
            assert!(titles.len() == product.variants.len() && titles.len() <= 4, "{}", product.handle);
            for variant in &product.variants {
                let sku = variant.sku.as_deref().expect("a SKU");
                let currencies: Vec<_> = variant.prices.iter().map(|it| &*it.currency_code).collect();
                assert_eq!(currencies, ["eur", "usd"], "{sku}");
                assert!(variant.stock.iter().all(|it| locations.contains(&*it.location)), "{sku}");
                assert!(
                    variant.parts.iter().all(|it| it.quantity > Decimal::ZERO && skus.contains(&*it.sku)),
                    "{sku}"
                );
                assert!(skus.insert(sku), "{sku}");
                let is_kit = !variant.parts.is_empty();
                assert_eq!(variant.stock.is_empty(), is_kit || !variant.manage_inventory, "{sku}");
                kits += usize::from(is_kit);
                uncounted += usize::from(!variant.manage_inventory);
                backordered += usize::from(variant.allow_backorder);
                if !variant.stock.is_empty() {
                    totals.push(variant.stock.iter().map(|it| it.stocked_quantity).sum::<Decimal>());
                }
            }
        }
        assert_eq!((kits, uncounted, backordered), (4, 4, 2));
        let with = |left: i64| totals.iter().filter(|it| **it == Decimal::from(left)).count();
        assert_eq!([with(0), with(1)], [1, 1]);
    }
}
