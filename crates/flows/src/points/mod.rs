//! The hook points of the core's flows: where other crates join, what their hooks get, and what they may
//! contribute.

mod inputs;

use atoll_cart::Cart;
use atoll_customer::{Customer, CustomerAddress, CustomerGroup};
use atoll_fulfillment::{FulfillmentSet, ServiceZone, ShippingOption, ShippingOptionType, ShippingProfile};
use atoll_inventory::{InventoryItem, ReservationItem};
use atoll_kernel::{Decimal, Metadata, flow::HookPoint, serde_json::Value};
use atoll_order::Order;
use atoll_payment::RefundReason;
use atoll_pricing::{PriceList, PricePreference};
use atoll_product::{
    OptionInput, Product, ProductCategory, ProductCollection, ProductOption, ProductOptionValue, ProductTag,
    ProductType, ProductVariant,
};
use atoll_promotion::{Campaign, NewPromotion, Promotion};
use atoll_region::Region;
use atoll_sales_channel::SalesChannel;
use atoll_stock_location::StockLocation;
use atoll_store::Store;
use atoll_tax::{TaxRate, TaxRegion};
use atoll_user::Invite;

pub use inputs::*;

/// Declares points, each with the type of its input, and of what hooks contribute.
macro_rules! points {
    ($($(#[$doc:meta])* $NAME:ident = $name:literal: $In:ty $(=> $Out:ty)?;)*) => {
        $($(#[$doc])* pub static $NAME: HookPoint<$In $(, $Out)?> = HookPoint::new($name);)*
    };
}

points! {
    /// Before a record is changed; in many flows.
    VALIDATE_ID = "validate": OfId;
    /// Before records are changed or deleted; in many flows.
    VALIDATE_IDS = "validate": Ids;
    /// Before records are linked to another one, or unlinked; in several flows.
    VALIDATE_LINKS = "validate": Links;
}

points! {
    /// When a line is priced: when it is added to a cart, when its quantity changes, when the prices of a
    /// cart are refreshed, and once more when the cart is completed. A hook may set another unit price, and
    /// add metadata to a new line. Of several prices that of the last hook counts. What a hook says must
    /// depend on its input and the data only: a cart whose prices differ when it is completed is refused. In
    /// all flows that price lines.
    PRICE_LINE = "priceLine": LineToPrice => LinePrice;
    /// When a shipping method of a cart is priced: whenever its cart changes, and once more when it is
    /// completed. A hook may set another price; of several that of the last hook counts. What a hook says
    /// must depend on its input and the data only. In all flows that price carts.
    PRICE_SHIPPING = "priceShippingMethod": MethodToPrice => MethodPrice;
    /// Before a cart is changed or completed; in several flows.
    VALIDATE_CART = "validate": OfCart;
    /// Before a cart is made.
    VALIDATE_NEW_CART = "validate": NewCart;
    /// A cart was made.
    CART_CREATED = "cartCreated": CartNow;
    /// A cart was changed; in several flows.
    CART_UPDATED = "cartUpdated": CartNow;
    /// Before the quantity of a line changes.
    VALIDATE_LINE = "validate": OfLine;
    /// Before lines are removed from a cart.
    VALIDATE_LINES = "validate": OfLines;
    /// Before a cart becomes another customer's.
    VALIDATE_TRANSFER = "validate": OfTransfer;
    /// Carts have expired, and were deleted.
    CARTS_DELETED = "cartsDeleted": Ids;
    /// After `validate`, before the stock of a cart is reserved and its payment authorised.
    BEFORE_PAYMENT = "beforePaymentAuthorization": OfCart;
    /// Before the provider is called; for external calls. They must not change the cart. What they contribute
    /// is passed to `orderCreated`.
    AUTHORIZE_PAYMENT = "authorizePayment": PaymentDue => Value;
    /// Before the order of a cart is made. A hook may add metadata to the order.
    PLACE_ORDER = "placeOrder": OrderToPlace => OrderExtras;
    /// A cart has become an order.
    ORDER_PLACED = "orderCreated": OrderPlaced;
}

points! {
    /// Before an order is made.
    VALIDATE_NEW_ORDER = "validate": OrderNow;
    /// An order was made.
    ORDER_CREATED = "orderCreated": OrderNow;
    /// Before an order is changed; in several flows.
    VALIDATE_ORDER = "validate": OfOrder;
    /// Orders were archived.
    ORDERS_ARCHIVED = "ordersArchived": Records<Order>;
    /// Orders were completed.
    ORDERS_COMPLETED = "ordersCompleted": Records<Order>;
    /// An order was changed.
    ORDER_UPDATED = "orderUpdated": OrderNow;
    /// An order was cancelled.
    ORDER_CANCELED = "orderCanceled": OrderNow;
    /// Items of an order were sent.
    FULFILLMENT_CREATED = "fulfillmentCreated": OrderNow;
    /// Before a fulfilment is shipped, delivered or cancelled; in several flows.
    VALIDATE_FULFILLMENT = "validate": OfFulfillment;
    /// A fulfilment was shipped.
    SHIPMENT_CREATED = "shipmentCreated": OrderNow;
    /// A fulfilment was delivered.
    FULFILLMENT_DELIVERED = "fulfillmentDelivered": OrderNow;
    /// A fulfilment was cancelled.
    FULFILLMENT_CANCELED = "orderFulfillmentCanceled": OrderNow;
}

points! {
    /// Before products are made.
    VALIDATE_PRODUCTS = "validate": Records<Product>;
    /// Products were made.
    PRODUCTS_CREATED = "productsCreated": Records<Product>;
    /// Products were changed.
    PRODUCTS_UPDATED = "productsUpdated": Records<Product>;
    /// Products were deleted.
    PRODUCTS_DELETED = "productsDeleted": Ids;
    /// Before images are assigned to variants.
    VALIDATE_IMAGES = "validate": ImageChanges;
    /// Options were linked to products, or unlinked.
    OPTIONS_LINKED = "productOptionsLinked": Records<Product>;
    /// Before variants are made.
    VALIDATE_VARIANTS = "validate": OfProduct;
    /// Variants were made.
    VARIANTS_CREATED = "productVariantsCreated": Records<ProductVariant>;
    /// Variants were changed.
    VARIANTS_UPDATED = "productVariantsUpdated": Records<ProductVariant>;
    /// Variants were deleted.
    VARIANTS_DELETED = "productVariantsDeleted": Ids;
    /// Before inventory items are linked to variants, or unlinked.
    VALIDATE_VARIANT_ITEMS = "validate": VariantItems;
    /// Inventory items were linked to variants, or unlinked.
    ITEMS_LINKED = "inventoryItemsLinked": VariantItems;
    /// Before a value of an option is changed or deleted; in two flows.
    VALIDATE_OPTION_VALUE = "validate": OfOptionValue;
    /// Values of options were changed.
    OPTION_VALUES_UPDATED = "productOptionValuesUpdated": Records<ProductOptionValue>;
    /// Values of options were deleted.
    OPTION_VALUES_DELETED = "productOptionValuesDeleted": Ids;
}

points! {
    /// Before tags are made.
    VALIDATE_TAGS = "validate": Records<ProductTag>;
    /// Tags were made.
    TAGS_CREATED = "productTagsCreated": Records<ProductTag>;
    /// Tags were changed.
    TAGS_UPDATED = "productTagsUpdated": Records<ProductTag>;
    /// Tags were deleted.
    TAGS_DELETED = "productTagsDeleted": Ids;
    /// Before types are made.
    VALIDATE_TYPES = "validate": Records<ProductType>;
    /// Types were made.
    TYPES_CREATED = "productTypesCreated": Records<ProductType>;
    /// Types were changed.
    TYPES_UPDATED = "productTypesUpdated": Records<ProductType>;
    /// Types were deleted.
    TYPES_DELETED = "productTypesDeleted": Ids;
    /// Before collections are made.
    VALIDATE_COLLECTIONS = "validate": Records<ProductCollection>;
    /// Collections were made.
    COLLECTIONS_CREATED = "collectionsCreated": Records<ProductCollection>;
    /// Collections were changed.
    COLLECTIONS_UPDATED = "collectionsUpdated": Records<ProductCollection>;
    /// Collections were deleted.
    COLLECTIONS_DELETED = "collectionsDeleted": Ids;
    /// Before categories are made.
    VALIDATE_CATEGORIES = "validate": Records<ProductCategory>;
    /// Categories were made.
    CATEGORIES_CREATED = "categoriesCreated": Records<ProductCategory>;
    /// Categories were changed.
    CATEGORIES_UPDATED = "categoriesUpdated": Records<ProductCategory>;
    /// Categories were deleted.
    CATEGORIES_DELETED = "categoriesDeleted": Ids;
    /// Before options are made.
    VALIDATE_OPTIONS = "validate": Records<ProductOption, OptionInput>;
    /// Options were made.
    OPTIONS_CREATED = "productOptionsCreated": Records<ProductOption>;
    /// Options were changed.
    OPTIONS_UPDATED = "productOptionsUpdated": Records<ProductOption>;
    /// Options were deleted.
    OPTIONS_DELETED = "productOptionsDeleted": Ids;
}

points! {
    /// Before money is captured or refunded; in two sagas.
    VALIDATE_MOVE = "validate": MoneyToMove;
    /// Before reasons of refunds are made.
    VALIDATE_REFUND_REASONS = "validate": Records<RefundReason>;
    /// Reasons of refunds were made.
    REFUND_REASONS_CREATED = "refundReasonsCreated": Records<RefundReason>;
    /// Reasons of refunds were changed.
    REFUND_REASONS_UPDATED = "refundReasonsUpdated": Records<RefundReason>;
    /// Reasons of refunds were deleted.
    REFUND_REASONS_DELETED = "refundReasonsDeleted": Ids;
    /// Before a payment session is made; its provider may have been asked already.
    VALIDATE_SESSION = "validate": SessionToMake;
    /// Before channels are made.
    VALIDATE_CHANNELS = "validate": Records<SalesChannel>;
    /// Channels were made.
    CHANNELS_CREATED = "salesChannelsCreated": Records<SalesChannel>;
    /// Channels were changed.
    CHANNELS_UPDATED = "salesChannelsUpdated": Records<SalesChannel>;
    /// Channels were deleted.
    CHANNELS_DELETED = "salesChannelsDeleted": Ids;
    /// Channels were linked to a stock location or a publishable key; in two flows.
    CHANNELS_LINKED = "salesChannelsLinked": Links;
    /// Products were linked to a channel.
    PRODUCTS_LINKED = "productsLinked": Links;
    /// The assortment of a channel was changed.
    ASSORTMENT_UPDATED = "assortmentUpdated": OfId;
    /// Before a key is made.
    VALIDATE_KEY = "validate": NewApiKey;
    /// Keys were made.
    KEYS_CREATED = "apiKeysCreated": Ids;
    /// Keys were changed.
    KEYS_UPDATED = "apiKeysUpdated": Ids;
    /// Before a key is revoked.
    VALIDATE_REVOCATION = "validate": Revocation;
    /// Keys were revoked.
    KEYS_REVOKED = "apiKeysRevoked": Ids;
    /// Keys were deleted.
    KEYS_DELETED = "apiKeysDeleted": Ids;
    /// A store was changed.
    STORES_UPDATED = "storesUpdated": Records<Store>;
    /// Before regions are made.
    VALIDATE_REGIONS = "validate": Records<Region>;
    /// Regions were made.
    REGIONS_CREATED = "regionsCreated": Records<Region>;
    /// Regions were changed.
    REGIONS_UPDATED = "regionsUpdated": Records<Region>;
    /// Regions were deleted.
    REGIONS_DELETED = "regionsDeleted": Ids;
    /// Before tax regions are made.
    VALIDATE_TAX_REGIONS = "validate": Records<TaxRegion>;
    /// Before tax rates are made.
    VALIDATE_TAX_RATES = "validate": Records<TaxRate>;
}

points! {
    /// Before price lists are made.
    VALIDATE_PRICE_LISTS = "validate": Records<PriceList>;
    /// Price lists were made.
    PRICE_LISTS_CREATED = "priceListsCreated": Records<PriceList>;
    /// Price lists were changed.
    PRICE_LISTS_UPDATED = "priceListsUpdated": Records<PriceList>;
    /// Price lists were deleted.
    PRICE_LISTS_DELETED = "priceListsDeleted": Ids;
    /// Prices of a price list were made, changed or deleted; in two flows.
    LIST_PRICES_CHANGED = "priceListPricesChanged": OfId;
    /// Before price preferences are made.
    VALIDATE_PRICE_PREFERENCES = "validate": Records<PricePreference>;
    /// Price preferences were made.
    PRICE_PREFERENCES_CREATED = "pricePreferencesCreated": Records<PricePreference>;
    /// Price preferences were changed.
    PRICE_PREFERENCES_UPDATED = "pricePreferencesUpdated": Records<PricePreference>;
    /// Price preferences were deleted.
    PRICE_PREFERENCES_DELETED = "pricePreferencesDeleted": Ids;
}

points! {
    /// Before stock locations are made.
    VALIDATE_LOCATIONS = "validate": Records<StockLocation>;
    /// Stock locations were made.
    LOCATIONS_CREATED = "stockLocationsCreated": Records<StockLocation>;
    /// Stock locations were changed.
    LOCATIONS_UPDATED = "stockLocationsUpdated": Records<StockLocation>;
    /// Stock locations were deleted.
    LOCATIONS_DELETED = "stockLocationsDeleted": Ids;
    /// Before inventory items are made.
    VALIDATE_ITEMS = "validate": Records<InventoryItem>;
    /// Inventory items were made.
    ITEMS_CREATED = "inventoryItemsCreated": Records<InventoryItem>;
    /// Inventory items were changed.
    ITEMS_UPDATED = "inventoryItemsUpdated": Records<InventoryItem>;
    /// Inventory items were deleted.
    ITEMS_DELETED = "inventoryItemsDeleted": Ids;
    /// Before inventory levels are made, changed and removed.
    VALIDATE_LEVELS = "validate": LevelsToDelete;
    /// Inventory levels were made, changed and removed.
    LEVELS_CHANGED = "inventoryLevelsChanged": LevelsChanged;
    /// Before stock is moved to another location.
    VALIDATE_STOCK_TRANSFER = "validate": StockToTransfer;
    /// Before stock is reserved.
    VALIDATE_RESERVATIONS = "validate": Records<ReservationItem>;
    /// Stock was reserved.
    RESERVATIONS_CREATED = "reservationsCreated": Records<ReservationItem>;
    /// Reservations were changed.
    RESERVATIONS_UPDATED = "reservationsUpdated": Records<ReservationItem>;
    /// Reservations were deleted.
    RESERVATIONS_DELETED = "reservationsDeleted": Ids;
}

points! {
    /// Before the account of a customer is made.
    VALIDATE_CUSTOMER = "validate": CustomerNow;
    /// Customers were made.
    CUSTOMERS_CREATED = "customersCreated": Records<Customer>;
    /// Before customers without accounts are made.
    VALIDATE_CUSTOMERS = "validate": Records<Customer>;
    /// Customers were changed.
    CUSTOMERS_UPDATED = "customersUpdated": Records<Customer>;
    /// Customers were deleted.
    CUSTOMERS_DELETED = "customersDeleted": Ids;
    /// Before groups of customers are made.
    VALIDATE_GROUPS = "validate": Records<CustomerGroup>;
    /// Groups of customers were made.
    GROUPS_CREATED = "customerGroupsCreated": Records<CustomerGroup>;
    /// Groups of customers were changed.
    GROUPS_UPDATED = "customerGroupsUpdated": Records<CustomerGroup>;
    /// Groups of customers were deleted.
    GROUPS_DELETED = "customerGroupsDeleted": Ids;
    /// Customers were added to a group or removed from it, or groups of a customer; in two flows.
    MEMBERS_CHANGED = "customerGroupsLinked": Links;
    /// Addresses of a customer were made.
    ADDRESSES_CREATED = "addressesCreated": Addresses;
    /// Addresses of a customer were changed.
    ADDRESSES_UPDATED = "addressesUpdated": Addresses;
    /// Addresses of a customer were deleted.
    ADDRESSES_DELETED = "addressesDeleted": Ids;
    /// Before admin users are made.
    VALIDATE_USERS = "validate": Emails;
    /// Admin users were changed.
    USERS_UPDATED = "usersUpdated": Ids;
    /// Admin users were made.
    USERS_CREATED = "usersCreated": Ids;
    /// Admin users were invited.
    INVITES_CREATED = "invitesCreated": Records<Invite>;
}

points! {
    /// Before shipping profiles are made.
    VALIDATE_PROFILES = "validate": Records<ShippingProfile>;
    /// Shipping profiles were made.
    PROFILES_CREATED = "shippingProfilesCreated": Records<ShippingProfile>;
    /// Shipping profiles were changed.
    PROFILES_UPDATED = "shippingProfilesUpdated": Records<ShippingProfile>;
    /// Shipping profiles were deleted.
    PROFILES_DELETED = "shippingProfilesDeleted": Ids;
    /// Before types of shipping options are made.
    VALIDATE_OPTION_TYPES = "validate": Records<ShippingOptionType>;
    /// Types of shipping options were made.
    OPTION_TYPES_CREATED = "shippingOptionTypesCreated": Records<ShippingOptionType>;
    /// Types of shipping options were changed.
    OPTION_TYPES_UPDATED = "shippingOptionTypesUpdated": Records<ShippingOptionType>;
    /// Types of shipping options were deleted.
    OPTION_TYPES_DELETED = "shippingOptionTypesDeleted": Ids;
    /// Before a fulfilment set of a stock location is made.
    VALIDATE_FULFILLMENT_SET = "validate": Records<FulfillmentSet>;
    /// A fulfilment set of a stock location was made.
    FULFILLMENT_SET_CREATED = "fulfillmentSetCreated": Records<FulfillmentSet>;
    /// Fulfilment sets were deleted, with their zones.
    FULFILLMENT_SETS_DELETED = "fulfillmentSetsDeleted": Ids;
    /// Fulfilment providers were linked to a stock location.
    FULFILLMENT_PROVIDERS_LINKED = "fulfillmentProvidersLinked": Links;
    /// Before a service zone is made.
    VALIDATE_SERVICE_ZONES = "validate": Records<ServiceZone>;
    /// A service zone was made.
    SERVICE_ZONES_CREATED = "serviceZonesCreated": Records<ServiceZone>;
    /// A service zone was changed.
    SERVICE_ZONES_UPDATED = "serviceZonesUpdated": Records<ServiceZone>;
    /// Service zones were deleted, with their shipping options.
    SERVICE_ZONES_DELETED = "serviceZonesDeleted": Ids;
    /// Before a shipping option is made.
    VALIDATE_SHIPPING_OPTIONS = "validate": Records<ShippingOption>;
    /// A shipping option was made.
    SHIPPING_OPTIONS_CREATED = "shippingOptionsCreated": Records<ShippingOption>;
    /// A shipping option was changed.
    SHIPPING_OPTIONS_UPDATED = "shippingOptionsUpdated": Records<ShippingOption>;
    /// Rules of a shipping option were changed.
    SHIPPING_OPTION_RULES_CHANGED = "shippingOptionRulesChanged": Records<ShippingOption>;
    /// Shipping options were deleted.
    SHIPPING_OPTIONS_DELETED = "shippingOptionsDeleted": Ids;
}

points! {
    /// Before promotions are made.
    VALIDATE_PROMOTIONS = "validate": Records<Promotion, NewPromotion>;
    /// Promotions were made.
    PROMOTIONS_CREATED = "promotionsCreated": Records<Promotion>;
    /// Promotions were changed: their fields, their rules, or their campaign; in three flows.
    PROMOTIONS_UPDATED = "promotionsUpdated": Records<Promotion>;
    /// Promotions were deleted.
    PROMOTIONS_DELETED = "promotionsDeleted": Ids;
    /// Before campaigns are made.
    VALIDATE_CAMPAIGNS = "validate": Records<Campaign>;
    /// Campaigns were made.
    CAMPAIGNS_CREATED = "campaignsCreated": Records<Campaign>;
    /// Campaigns were changed.
    CAMPAIGNS_UPDATED = "campaignsUpdated": Records<Campaign>;
    /// Campaigns were deleted.
    CAMPAIGNS_DELETED = "campaignsDeleted": Ids;
}
