# php.bash: PHP's own tests of its JIT, and of PCRE and the language beside it, with the
# JIT compiling all that runs.

needs=php

lacking() {
	[ -n "$(php -r 'echo extension_loaded("Zend OPcache");')" ] || echo "php has no opcache"
	"$peers/unpack" 'php[0-9].[0-9]' || echo "no source package of php"
}

prepare() {
	"$peers/unpack" 'php[0-9].[0-9]' '*/run-tests.php' '*/ext/opcache/tests/*' '*/ext/pcre/tests/*' \
		'*/Zend/tests/closures/*' '*/Zend/tests/generators/*' '*/Zend/tests/try/*'
	mv php-*/* .
}

suite() {
	NO_INTERACTION=1 php run-tests.php -q -p "$(command -v php)" -W results --no-progress --set-timeout 300 \
		-d opcache.enable_cli=1 -d opcache.jit=1201 -d opcache.jit_buffer_size=16M \
		ext/opcache/tests/jit ext/pcre/tests Zend/tests/closures Zend/tests/generators \
		Zend/tests/try
}

verdicts() {
	awk '{ sub(/.*\/(native|mended)(-[0-9])?\//, "", $2); print ($1 == "PASSED" ? "ok" : tolower($1)) "\t" $2 }' results
}
