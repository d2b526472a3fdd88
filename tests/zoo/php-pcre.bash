# php-pcre.bash: PHP's regular expressions, which PCRE2 compiles.
# Refused, PHP interprets the pattern and says nothing. What tells: only compiled
# code can run out of the stack that it has for itself.

needs=php

load() {
	php -d opcache.enable_cli=0 "$zoo/php-pcre.php"
}

jit_off() {
	php -d opcache.enable_cli=0 -d pcre.jit=0 "$zoo/php-pcre.php"
}
