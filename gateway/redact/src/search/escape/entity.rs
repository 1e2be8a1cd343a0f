//! HTML's names of characters (HTML standard, "Named character references"): those of ASCII and Latin-1.

/// The longest name of the tables.
pub(super) const NAME_MAX: usize = 20;

/// Names of ASCII's punctuation.
const ASCII: [(&str, char); 51] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("DiacriticalGrave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("euro", '\u{20ac}'),
    ("hellip", '\u{2026}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("bull", '\u{2022}'),
    ("trade", '\u{2122}'),
];

/// Names of Latin-1's characters, from U+00A0 on.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 \
    acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig \
    Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave \
    Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave \
    iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// The character of that name.
pub(super) fn named(name: &[u8]) -> Option<char> {
    let name = std::str::from_utf8(name).ok()?;
    let ascii = ASCII.iter().find(|(known, _)| *known == name);
    ascii.map(|(_, character)| *character).or_else(|| {
        let mut latin = ('\u{a0}'..='\u{ff}').zip(LATIN.split_ascii_whitespace());
        latin
            .find(|(_, known)| *known == name)
            .map(|(character, _)| character)
    })
}

/// The first name of a character.
pub(super) fn name_of(wanted: char) -> Option<&'static str> {
    let mut ascii = ASCII.iter();
    ascii
        .find(|(_, character)| *character == wanted)
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_latin_1() {
        assert_eq!(LATIN.split_ascii_whitespace().count(), 96);
        for (name, character) in [
            ("auml", 'ä'),
            ("szlig", 'ß'),
            ("yuml", 'ÿ'),
            ("nbsp", '\u{a0}'),
        ] {
            assert_eq!(named(name.as_bytes()), Some(character), "{name}");
        }
        assert_eq!(named(b"amp"), Some('&'));
        assert_eq!(named(b"ampx"), None);
        assert_eq!(name_of('/'), Some("sol"));
    }
}
