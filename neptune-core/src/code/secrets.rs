//! Keeping secrets out: names that look like those of secrets, options that carry them, and addresses with passwords.
//!
//! It goes by names and shapes, so it cannot know every secret. What it takes for one is replaced by [`MASK`].

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// Words of names of secrets.
const WORDS: [&str; 18] = [
    "SECRETS",
    "PASSWORDS",
    "PASS",
    "PWD",
    "PAT",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
    "AUTH",
    "AUTHORIZATION",
    "BEARER",
    "COOKIE",
    "COOKIES",
    "SESSIONID",
    "JWT",
    "DSN",
    "TOKENS",
    "KEYS",
];

/// What a word of the name of a secret ends in, when words are written together.
const ENDS: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "PASSPHRASE"];

/// How secrets begin that are known by their shape.
const BEGINNINGS: [&str; 13] =
    ["ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "hf_", "sk-", "xoxb-", "xoxp-", "AKIA", "ASIA", "eyJ"];

/// Whether `name`, of a variable or an option, looks like that of a secret: one of its words is a word for secrets.
/// `tokenizer` and `monkeys` are none.
pub(super) fn is_name_of_secret(name: &str) -> bool {
    words(name).iter().any(|word| is_word_for_secret(word))
}

fn is_word_for_secret(word: &str) -> bool {
    WORDS.contains(&word) || ENDS.iter().any(|end| word.ends_with(end))
}

/// The words of a name, in capitals: `apiKey`, `api-key` and `API_KEY` are two words each.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || (was_small && character.is_uppercase());
        if begins {
            words.push(String::new());
        }
        was_small = character.is_lowercase() || character.is_ascii_digit();
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The arguments of a program without the values of options whose names look like those of secrets, without passwords in
/// addresses, and without what has the shape of a known kind of secret.
pub(super) fn masked_arguments(arguments: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut masked = Vec::new();
    let mut secret: Option<String> = None;
    for argument in arguments {
        let is_option = argument.starts_with('-') && argument.parse::<f64>().is_err();
        if let Some(name) = secret.take()
            && !argument.starts_with("--")
            && !(is_option && argument.len() <= 2)
        {
            masked.push(value_of(&name, &argument));
        } else if let Some((name, value)) = argument.split_once('=') {
            masked.push(format!("{name}={}", value_of(name, value)));
        } else if let Some((name, value)) = argument.split_once(':').filter(|(_, value)| !value.starts_with("//")) {
            masked.push(format!("{name}:{}", value_of(name, value)));
        } else {
            secret = (is_option && is_name_of_secret(&argument)).then(|| argument.clone());
            masked.push(masked_value(&argument));
        }
    }
    masked
}

/// The value of an option. A small number is none of a key or a token: options such as `--max-tokens` are meant.
fn value_of(name: &str, value: &str) -> String {
    const MOST_DIGITS: usize = 5;
    let is_small_number = value.len() <= MOST_DIGITS && value.parse::<f64>().is_ok();
    let is_secret = words(name).iter().any(|word| {
        let counts = ["TOKEN", "TOKENS", "KEY", "KEYS"].iter().any(|end| word.ends_with(end));
        is_word_for_secret(word) && !(counts && is_small_number)
    });
    if is_secret { MASK.to_owned() } else { masked_value(value) }
}

/// `value` without what is secret in it.
pub(super) fn masked_value(value: &str) -> String {
    let looks_secret = |word: &str| {
        const LEAST: usize = 20;
        let is_token = |character: char| character.is_ascii_alphanumeric() || "_-.+/=".contains(character);
        word.len() >= LEAST
            && BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
            && word.chars().all(is_token)
            && word.chars().any(|character| character.is_ascii_digit())
    };
    let spoken = without_credentials(value);
    spoken.split(' ').map(|word| if looks_secret(word) { MASK } else { word }).collect::<Vec<_>>().join(" ")
}

/// A text without the user and the password of each address in it, and without the query of the addresses that had one:
/// `https://name:token@host/path` becomes `https://host/path`.
pub(super) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = behind.find([' ', '\t', '\n', '"', '\'', ',']).unwrap_or(behind.len());
        let (address, behind) = behind.split_at(end);
        // A password may hold anything, a slash too: what lies before the last `@` of the place is not shown.
        let place_end = address.find(['/', '?', '#']).unwrap_or(address.len());
        let credentials_end =
            address[..place_end].rfind('@').or_else(|| address.rfind('@').filter(|_| has_colon(address)));
        let address = credentials_end.map_or(address, |at| &address[at + 1..]);
        match address.split_once('?') {
            Some((address, _)) => {
                shown.push_str(address);
                shown.push('?');
                shown.push_str(MASK);
            }
            None => shown.push_str(address),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Whether a place is followed by something that is no number, as a password is.
fn has_colon(address: &str) -> bool {
    let behind = address.split_once(':').map(|(_, behind)| behind.split(['/', '?', '#']).next().unwrap_or_default());
    behind.is_some_and(|port| port.parse::<u16>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_secret_is_told_by_its_words() {
        let secret = [
            "HF_TOKEN",
            "WANDB_API_KEY",
            "--api-key",
            "apiKey",
            "password",
            "AWS_SECRET_ACCESS_KEY",
            "PGPASSWORD",
            "authToken",
            "db.passwd",
            "MYSQL_PWD",
            "--github_pat",
            "APIKEY",
        ];
        for name in secret {
            assert!(is_name_of_secret(name), "{name}");
        }
        for name in [
            "TOKENIZERS_PARALLELISM",
            "--tokenizer",
            "--lr",
            "RUST_LOG",
            "passes",
            "--pin-memory",
            "CUDA_VISIBLE_DEVICES",
            "--path",
        ] {
            assert!(!is_name_of_secret(name), "{name}");
        }
    }

    #[test]
    fn the_values_of_secret_options_are_masked_and_nothing_else() {
        let masked = |line: &str| masked_arguments(line.split(' ').map(str::to_owned)).join(" ");
        assert_eq!(masked("train --token abc --lr 0.1"), "train --token *** --lr 0.1");
        assert_eq!(masked("train --password=a=b:c --lr=0.1"), "train --password=*** --lr=0.1");
        assert_eq!(masked("train --api-key -abc"), "train --api-key ***");
        assert_eq!(masked("train --use-token --verbose -v"), "train --use-token --verbose -v");
        assert_eq!(masked("train --max-tokens 4096 --password 123"), "train --max-tokens 4096 --password ***");
        assert_eq!(masked("api.key=abc model=big"), "api.key=*** model=big");
        assert_eq!(masked("--data s3://bucket/a"), "--data s3://bucket/a");
        assert_eq!(masked("--data=https://u:p@host/a"), "--data=https://host/a");
        assert_eq!(masked("hf_abcdefghijklmnop1234"), "***");
        assert_eq!(masked("--tokenizer hf_datasets"), "--tokenizer hf_datasets");
        assert_eq!(masked("--header Authorization:abc"), "--header Authorization:***");
    }

    #[test]
    fn an_address_loses_its_credentials() {
        for (address, shown) in [
            ("https://ada:secret@host.org/a/b.git", "https://host.org/a/b.git"),
            ("https://ghp_token@host.org/a.git", "https://host.org/a.git"),
            ("https://ada:se/cr@t@host.org/a.git", "https://host.org/a.git"),
            ("https://host.org:8443/a@b", "https://host.org:8443/a@b"),
            ("https://host.org/a?private_token=x", "https://host.org/a?***"),
            ("ssh://git@host.org/a.git", "ssh://host.org/a.git"),
            ("git@host.org:a/b.git", "git@host.org:a/b.git"),
            ("/srv/git/a.git", "/srv/git/a.git"),
            ("see https://a:b@c and https://d:e@f", "see https://c and https://f"),
        ] {
            assert_eq!(without_credentials(address), shown);
        }
    }
}
