"""Customers and accounts are found however accents are typed: Müller by Muller, Mueller and müller."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

# What `clm.lib.folding` does to what is typed. Bodies are bound where they are defined, not by a search path: a restored
# dump computes the column below before it has one.
FUNCTIONS = r"""
CREATE FUNCTION folded_letters(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
    replace(replace(replace(replace(
        lower(normalize(regexp_replace(normalize(said, NFD), '[\u0300-\u036f]', '', 'g'), NFC)),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
    'øłđðħıŧς', 'olddhitσ'
);

CREATE FUNCTION spelt_letters(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN folded_letters(replace(replace(replace(replace(replace(
    translate(normalize(said, NFC), 'ÄÖÜÅØ', 'äöüåø'),
    'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'å', 'aa'), 'ø', 'oe'));

-- The text in small letters; behind it each of its words that has accents without them, and spelt out.
CREATE FUNCTION searchable_words(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN octet_length(said) = char_length(said) THEN lower(said)
    ELSE concat_ws(' ', lower(said), (
        SELECT string_agg(DISTINCT form, ' ' ORDER BY form)
        FROM regexp_split_to_table(lower(said), ' +') AS word,
             LATERAL (VALUES (folded_letters(word)), (spelt_letters(word))) AS forms (form)
        WHERE form <> word
    ))
END;

-- What an account is found by: its name, its key, and the properties that are addresses.
CREATE FUNCTION searchable_account(name text, key text, properties jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN searchable_words(concat_ws(' ', nullif(name, ''), key, (
    SELECT string_agg(left(told.value #>> '{}', 300), ' ' ORDER BY told.key)
    FROM jsonb_each(CASE WHEN jsonb_typeof(properties) = 'object' THEN properties ELSE '{}' END) AS told
    WHERE jsonb_typeof(told.value) = 'string' AND told.key ~* 'domain|website|url|homepage|e-?mail'
)));
"""
GONE = """
DROP FUNCTION searchable_account(text, text, jsonb);
DROP FUNCTION searchable_words(text);
DROP FUNCTION spelt_letters(text);
DROP FUNCTION folded_letters(text);
"""
KNOWN = """
UPDATE customers_customer
SET search_text = searchable_words(search_text)
WHERE octet_length(search_text) > char_length(search_text)
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0026_amounts_are_read_anew")]

    operations = [
        migrations.RunSQL(FUNCTIONS, GONE),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="account",
            name="search_text",
            field=models.GeneratedField(
                expression=models.Func("name", "key", "properties", function="searchable_account"),
                output_field=models.TextField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=GinIndex(fields=["search_text"], name="account_search", opclasses=["gin_trgm_ops"]),
        ),
    ]
