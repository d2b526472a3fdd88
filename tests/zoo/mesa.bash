# mesa.bash: Mesa's llvmpipe, which compiles shaders: OpenGL without a graphics card.

needs=gcc

export EGL_PLATFORM=surfaceless LIBGL_ALWAYS_SOFTWARE=1 MESA_SHADER_CACHE_DISABLE=true

lacking() {
	echo '#include <GLES2/gl2.h>' | gcc -E - >/dev/null 2>&1 ||
		echo "GLES2/gl2.h is not installed"
}

prepare() {
	gcc -O1 -o mesa "$zoo/mesa.c" -lEGL -lGLESv2
}

load() {
	./mesa
}
