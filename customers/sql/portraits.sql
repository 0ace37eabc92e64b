-- Bring the texts of some customers up to what their profiles' traits and identities say now; rows that already say so
-- are left alone. Parameters: customers (locked by the caller).
-- Indexes: the profile's customer, trait_has_one_value_at_an_instant, the identity's profile.
WITH profile AS (
    SELECT id, customer_id FROM customers_profile WHERE customer_id = ANY(%(customers)s)
), said AS (
    SELECT DISTINCT ON (profile.customer_id, trait.key)
           profile.customer_id AS customer, trait.key,
           CASE WHEN jsonb_typeof(trait.value) IN ('string', 'number') THEN trait.value #>> '{}' ELSE '' END AS text
    FROM profile
    JOIN customers_trait AS trait ON trait.profile_id = profile.id
        AND trait.key IN ('name', 'firstName', 'lastName', 'email', 'phone')
    ORDER BY profile.customer_id, trait.key, trait.last_seen_at DESC, trait.id DESC
), known AS (
    SELECT profile.customer_id AS customer,
           min(identity.value) FILTER (WHERE identity.kind = 'email') AS email,
           min(identity.value) FILTER (WHERE identity.kind = 'phone') AS phone,
           left(string_agg(identity.value, ' ' ORDER BY identity.id), 2000) AS ids,
           bool_and(identity.kind = 'anonymous_id') AS is_device
    FROM profile
    JOIN customers_identity AS identity ON identity.profile_id = profile.id
    GROUP BY profile.customer_id
), portrait AS (
    SELECT asked.customer,
           coalesce(nullif(left(whole.text, 200), ''),
                    trim(concat_ws(' ', left(first.text, 100), left(last.text, 100)))) AS name,
           coalesce(nullif(left(mail.text, 320), ''), known.email, '') AS email,
           coalesce(nullif(left(phone.text, 60), ''), known.phone, '') AS phone,
           coalesce(known.ids, '') AS ids, coalesce(known.is_device, true) AS is_device
    FROM unnest(%(customers)s::bigint[]) AS asked (customer)
    LEFT JOIN said AS whole ON whole.customer = asked.customer AND whole.key = 'name'
    LEFT JOIN said AS first ON first.customer = asked.customer AND first.key = 'firstName'
    LEFT JOIN said AS last ON last.customer = asked.customer AND last.key = 'lastName'
    LEFT JOIN said AS mail ON mail.customer = asked.customer AND mail.key = 'email'
    LEFT JOIN said AS phone ON phone.customer = asked.customer AND phone.key = 'phone'
    LEFT JOIN known ON known.customer = asked.customer
), searched AS (
    -- A number that is written with spaces or signs is found by its digits as well, a word with accents without them.
    SELECT customer, name, email, phone, is_device AND name = '' AND email = '' AND phone = '' AS is_anonymous,
           searchable_words(trim(concat_ws(
               ' ', nullif(name, ''), nullif(email, ''), nullif(phone, ''), ids,
               CASE WHEN phone ~ '[0-9][^0-9]+[0-9]' THEN regexp_replace(phone, '[^0-9]+', '', 'g') END
           ))) AS search_text
    FROM portrait
)
UPDATE customers_customer AS customer
SET name = searched.name, email = searched.email, phone = searched.phone, search_text = searched.search_text,
    is_anonymous = searched.is_anonymous, portrayed_at = clock_timestamp()
FROM searched
WHERE customer.id = searched.customer
  AND (customer.name, customer.email, customer.phone, customer.search_text, customer.is_anonymous)
      IS DISTINCT FROM
      (searched.name, searched.email, searched.phone, searched.search_text, searched.is_anonymous)
