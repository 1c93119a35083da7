//! Other ways to write a command: none of them changes what it does.

/// A small generator of numbers (xorshift64*): failures are told with its seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }

    fn often(&mut self) -> bool {
        !self.next().is_multiple_of(3)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Aliases that every session has.
const ALIASES: [(&str, &str); 21] = [
    ("Invoke-Expression", "iex"),
    ("Get-Content", "gc"),
    ("ForEach-Object", "%"),
    ("Where-Object", "?"),
    ("Get-ChildItem", "gci"),
    ("Set-Alias", "sal"),
    ("New-Alias", "nal"),
    ("Import-Module", "ipmo"),
    ("Invoke-RestMethod", "irm"),
    ("Invoke-WebRequest", "iwr"),
    ("Start-Process", "saps"),
    ("Get-Variable", "gv"),
    ("Set-Variable", "sv"),
    ("Set-Item", "si"),
    ("New-Item", "ni"),
    ("Get-Item", "gi"),
    ("Select-Object", "select"),
    ("Invoke-Command", "icm"),
    ("Get-Command", "gcm"),
    ("Set-Location", "sl"),
    ("Copy-Item", "cpi"),
];

/// A word of a command, as far as it need not be understood.
#[derive(Clone, Debug, PartialEq)]
enum Word {
    /// `-Name`, with what is bound to it by a colon.
    Parameter { name: String, bound: String },
    /// Letters, digits and a few marks that mean themselves.
    Bare(String),
    /// Anything else.
    Other(String),
}

/// One command of a pipeline that can be written in other ways.
#[derive(Clone, Debug)]
pub struct Call {
    name: String,
    words: Vec<Word>,
}

impl Call {
    /// Reads a command that begins with its name; none where it does not, or where there is more
    /// around it than words.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = split(text)?.into_iter();
        let name = words.next()?;
        let is_name = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '\\' || c == '.')
            && name.starts_with(|c: char| c.is_ascii_alphabetic());
        // `function f`, `using module`: what stands there is no command.
        let keyword = [
            "if",
            "for",
            "foreach",
            "while",
            "do",
            "switch",
            "try",
            "trap",
            "function",
            "filter",
            "class",
            "using",
            "param",
            "begin",
            "process",
            "end",
            "return",
            "throw",
            "data",
            "workflow",
            "exit",
            "clean",
            "configuration",
            "enum",
        ];
        if !is_name || keyword.contains(&name.to_lowercase().as_str()) {
            return None;
        }
        Some(Self {
            name,
            words: words.map(word).collect(),
        })
    }

    /// Writes it in another way.
    pub fn rewrite(&self, chance: &mut Chance) -> String {
        if self.may_be_splatted() && chance.below(4) == 0 {
            return self.splatted(chance);
        }
        let mut text = self.written_name(chance);
        for word in &self.words {
            text.push_str(chance.pick(&[" ", "  ", "\t", " `\n", " <# #> "]));
            match word {
                Word::Parameter { name, bound } => {
                    text.push_str(chance.pick(&["-", "-", "\u{2013}", "\u{2014}", "\u{2015}"]));
                    text.push_str(&mixed(&abbreviated(name, chance), chance));
                    text.push_str(bound);
                }
                Word::Bare(value) if chance.often() => text.push_str(&quoted(value, chance)),
                Word::Bare(value) | Word::Other(value) => text.push_str(value),
            }
        }
        text
    }

    fn written_name(&self, chance: &mut Chance) -> String {
        let plain = !self.name.contains(['\\', '.']);
        let alias = ALIASES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&self.name));
        let name = match alias {
            Some((_, alias)) if chance.often() => return (*alias).to_owned(),
            // A program's name is one in its own case only.
            _ if !self.name.contains('-') => self.name.clone(),
            _ => mixed(&self.name, chance),
        };
        match chance.below(6) {
            0 => format!("& '{name}'"),
            1 => format!(". \"{name}\""),
            2 => format!("& ('{name}')"),
            3 if plain && name.contains('-') => format!("Some.Module\\{name}"),
            4 => format!("{}; zz9", format_args!("Set-Alias zz9 {name}")),
            _ if plain => {
                with_backticks(&name, chance).replace('-', chance.pick(&["-", "\u{2013}"]))
            }
            _ => name,
        }
    }

    fn may_be_splatted(&self) -> bool {
        let mut names: Vec<_> = self
            .words
            .iter()
            .filter_map(|word| match word {
                Word::Parameter { name, .. } => Some(name.to_lowercase()),
                _ => None,
            })
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        all > 0
            && names.len() == all
            && self.words.chunks(2).all(|pair| {
                matches!(pair, [Word::Parameter { bound, .. }, Word::Bare(_)] if bound.is_empty())
            })
    }

    /// The same with all parameters in a table.
    fn splatted(&self, chance: &mut Chance) -> String {
        let entries: Vec<_> = self
            .words
            .chunks(2)
            .filter_map(|pair| match pair {
                [Word::Parameter { name, .. }, Word::Bare(value)] => Some(format!(
                    "{} = {}",
                    mixed(name, chance),
                    quoted(value, chance)
                )),
                _ => None,
            })
            .collect();
        format!("$zz9 = @{{ {} }}; {} @zz9", entries.join("; "), self.name)
    }
}

/// Splits at white space outside of quotes and brackets; none where that is not the whole story.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut depth = 0_usize;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            // Here-strings, comments, escapes and operators are left as they are.
            (None, '#' | '`' | '\n' | '\u{2018}'..='\u{201E}') => return None,
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth = depth.checked_sub(1)?,
            (None, c) if c.is_whitespace() && depth == 0 => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, _) => {}
        }
        word.push(c);
    }
    words.push(word);
    (depth == 0 && quote.is_none() && !text.contains('@')).then_some(words)
}

fn word(text: String) -> Word {
    let is_plain = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if let Some(rest) = text.strip_prefix('-') {
        let (name, bound) = match rest.find(':') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if is_plain(name, "") && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Word::Parameter {
                name: name.to_owned(),
                bound: bound.to_owned(),
            };
        }
        return Word::Other(text);
    }
    // Numbers are no text, and what PowerShell reads as an operator is none.
    if is_plain(&text, "./:_-~\\")
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '~')
    {
        Word::Bare(text)
    } else {
        Word::Other(text)
    }
}

fn mixed(text: &str, chance: &mut Chance) -> String {
    text.chars()
        .map(|c| match chance.below(3) {
            0 => c.to_ascii_uppercase(),
            1 => c.to_ascii_lowercase(),
            _ => c,
        })
        .collect()
}

/// PowerShell takes the beginning of a parameter's name. Short ones could be another's.
fn abbreviated(name: &str, chance: &mut Chance) -> String {
    let shortest = name.len().min(6);
    let length = shortest + chance.below(name.len() - shortest + 1);
    name.chars().take(length).collect()
}

fn with_backticks(name: &str, chance: &mut Chance) -> String {
    let mut text = String::new();
    for (at, c) in name.chars().enumerate() {
        // Before these it would be another character.
        if at > 0 && !"0abefnrtuv-".contains(c) && chance.below(4) == 0 {
            text.push('`');
        }
        text.push(c);
    }
    text
}

fn quoted(value: &str, chance: &mut Chance) -> String {
    match chance.below(4) {
        0 => format!("'{value}'"),
        1 => format!("\"{value}\""),
        2 => format!("('{value}')"),
        _ => format!("\u{201C}{value}\u{201D}"),
    }
}
