/* mesa.c: draws, without a screen, what a fragment shader makes of each pixel, and prints
 * a sum of the picture. Mesa's llvmpipe compiles the shaders to machine code. */
#include <EGL/egl.h>
#include <GLES2/gl2.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 256, PICTURES = 8 };

static const char vertices[] =
	"attribute vec2 place; varying vec2 at;"
	"void main() { at = place; gl_Position = vec4(place, 0.0, 1.0); }";

/* Another one for each picture: so there is always something to compile. */
static const char fragments[] =
	"precision highp float; varying vec2 at;"
	"void main() {"
	"	vec2 z = vec2(0.0); float n = 0.0;"
	"	for (int i = 0; i < %d; i++) {"
	"		if (dot(z, z) > 4.0) break;"
	"		z = vec2(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + at * 1.5; n += 1.0;"
	"	}"
	"	gl_FragColor = vec4(n / %d.0, step(1.0, z.x), step(1.0, z.y), 1.0);"
	"}";

static void fail(const char *what)
{
	fprintf(stderr, "mesa: %s\n", what);
	exit(1);
}

static void begin(void)
{
	static const EGLint wanted[] = { EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE,
					 EGL_OPENGL_ES2_BIT, EGL_NONE };
	static const EGLint size[] = { EGL_WIDTH, SIZE, EGL_HEIGHT, SIZE, EGL_NONE };
	static const EGLint version[] = { EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE };
	EGLDisplay display = eglGetDisplay(EGL_DEFAULT_DISPLAY);
	EGLConfig config;
	EGLSurface surface;
	EGLContext context;
	EGLint count;

	if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
	    !eglChooseConfig(display, wanted, &config, 1, &count) || !count)
		fail("no display");
	surface = eglCreatePbufferSurface(display, config, size);
	context = eglCreateContext(display, config, EGL_NO_CONTEXT, version);
	if (!eglMakeCurrent(display, surface, surface, context))
		fail("no context");
}

static GLuint shader(GLenum kind, const char *text)
{
	GLuint made = glCreateShader(kind);
	GLint done;

	glShaderSource(made, 1, &text, NULL);
	glCompileShader(made);
	glGetShaderiv(made, GL_COMPILE_STATUS, &done);
	if (!done)
		fail("a shader is not compiled");
	return made;
}

static void draw(int rounds)
{
	static const GLfloat corners[] = { -1, -1, 1, -1, -1, 1, 1, 1 };
	GLuint program = glCreateProgram();
	char text[sizeof fragments + 32];

	snprintf(text, sizeof text, fragments, rounds, rounds);
	glAttachShader(program, shader(GL_VERTEX_SHADER, vertices));
	glAttachShader(program, shader(GL_FRAGMENT_SHADER, text));
	glBindAttribLocation(program, 0, "place");
	glLinkProgram(program);
	glUseProgram(program);
	glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
	glEnableVertexAttribArray(0);
	glViewport(0, 0, SIZE, SIZE);
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

static unsigned sum(void)
{
	static unsigned char pixels[SIZE * SIZE * 4];
	unsigned sum = 0;

	glReadPixels(0, 0, SIZE, SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
	for (size_t i = 0; i < sizeof pixels; i++)
		sum = sum * 31 + pixels[i];
	return sum;
}

int main(void)
{
	begin();
	printf("%s\n", glGetString(GL_RENDERER));
	for (int i = 1; i <= PICTURES; i++) {
		draw(i * 8);
		printf("%u\n", sum());
	}
	return glGetError() != GL_NO_ERROR;
}
