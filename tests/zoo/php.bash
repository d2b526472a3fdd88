# php.bash: PHP's opcache JIT, in the command line's PHP.
# opcache is opened with RTLD_DEEPBIND: its calls are bound straight to libc.
# The load asks opcache whether its JIT has used its buffer.

needs=php

jit=(-d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=64M)

lacking() {
	[ -n "$(php -r 'echo extension_loaded("Zend OPcache");')" ] || echo "PHP has no opcache"
}

load() {
	php "${jit[@]}" "$zoo/php.php" 700
}

jit_off() {
	php "${jit[@]}" -d opcache.jit=disable "$zoo/php.php" 700
}
