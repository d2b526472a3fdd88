/* onednn.c: kernels of several kinds and shapes, all compiled. See onednn.bash. */
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 64

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static int compiled = 1;

static void must(dnnl_status_t status, const char *what)
{
	if (status == dnnl_success)
		return;
	printf("%s: %d\n", what, (int)status);
	exit(3);
}

#if DNNL_VERSION_MAJOR >= 3

/* Since version 3 oneDNN keeps the description, and gives a pointer to it. */
static dnnl_memory_desc_t matrix(dnnl_dim_t columns)
{
	const dnnl_dims_t sizes = { ROWS, columns };
	dnnl_memory_desc_t description;

	must(dnnl_memory_desc_create_with_tag(&description, 2, sizes, dnnl_f32, dnnl_ab),
	     "description");
	return description;
}

static void forget(dnnl_memory_desc_t description)
{
	dnnl_memory_desc_destroy(description);
}

static const_dnnl_memory_desc_t pointer_to(const dnnl_memory_desc_t *description)
{
	return *description;
}

static dnnl_primitive_desc_t eltwise(dnnl_alg_kind_t kind, dnnl_memory_desc_t description)
{
	dnnl_primitive_desc_t primitive_description;

	must(dnnl_eltwise_forward_primitive_desc_create(&primitive_description, engine,
							dnnl_forward_inference, kind, description,
							description, 0.5f, 0.25f, NULL),
	     "description");
	return primitive_description;
}

#else

static dnnl_memory_desc_t matrix(dnnl_dim_t columns)
{
	const dnnl_dims_t sizes = { ROWS, columns };
	dnnl_memory_desc_t description;

	must(dnnl_memory_desc_init_by_tag(&description, 2, sizes, dnnl_f32, dnnl_ab), "description");
	return description;
}

static void forget(dnnl_memory_desc_t description)
{
	(void)description;
}

static const dnnl_memory_desc_t *pointer_to(const dnnl_memory_desc_t *description)
{
	return description;
}

static dnnl_primitive_desc_t eltwise(dnnl_alg_kind_t kind, dnnl_memory_desc_t description)
{
	dnnl_primitive_desc_t primitive_description;
	dnnl_eltwise_desc_t operation;

	must(dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_inference, kind, &description,
					    0.5f, 0.25f), "operation");
	must(dnnl_primitive_desc_create(&primitive_description, &operation, NULL, engine, NULL),
	     "description");
	return primitive_description;
}

#endif

/* Its implementation's name begins with what made it. */
static void look(const_dnnl_primitive_desc_t description)
{
	const char *made_by = "";

	must(dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &made_by), "name");
	if (!strstr(made_by, "jit"))
		compiled = 0;
}

/* y = KIND(x), of ROWS times COLUMNS. */
static void run(dnnl_alg_kind_t kind, dnnl_dim_t columns)
{
	dnnl_memory_desc_t description = matrix(columns);
	dnnl_primitive_desc_t primitive_description = eltwise(kind, description);
	dnnl_primitive_t primitive;
	dnnl_memory_t from, to;
	size_t count = (size_t)(ROWS * columns);
	float *x = malloc(count * sizeof *x), *y = calloc(count, sizeof *y);
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		x[i] = (float)(i % 17) / 8 - 1;
	look(primitive_description);
	must(dnnl_primitive_create(&primitive, primitive_description), "primitive");
	must(dnnl_memory_create(&from, pointer_to(&description), engine, x), "memory");
	must(dnnl_memory_create(&to, pointer_to(&description), engine, y), "memory");
	must(dnnl_primitive_execute(primitive, stream, 2,
				    (dnnl_exec_arg_t []){ { DNNL_ARG_SRC, from }, { DNNL_ARG_DST, to } }),
	     "execution");
	must(dnnl_stream_wait(stream), "wait");
	for (size_t i = 0; i < count; i++)
		sum += y[i];
	printf("%d of %d: %.3f\n", (int)kind, (int)columns, sum);
	dnnl_primitive_destroy(primitive);
	dnnl_primitive_desc_destroy(primitive_description);
	dnnl_memory_destroy(from);
	dnnl_memory_destroy(to);
	forget(description);
	free(x);
	free(y);
}

int main(void)
{
	static const dnnl_alg_kind_t kinds[] = {
		dnnl_eltwise_relu, dnnl_eltwise_tanh, dnnl_eltwise_square, dnnl_eltwise_abs,
		dnnl_eltwise_logistic, dnnl_eltwise_exp, dnnl_eltwise_linear,
	};

	must(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
	must(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		for (dnnl_dim_t columns = 16; columns <= 1024; columns *= 4)
			run(kinds[i], columns);
	printf("compiled: %s\n", compiled ? "yes" : "no");
	return 0;
}
