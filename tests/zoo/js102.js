// js102.js: hot functions, objects, exceptions, regular expressions, WebAssembly,
// a worker.
function step(sum, i) {
	return (sum * 31 + i) % 1000003;
}

function strings(sum) {
	const words = [];
	for (let i = 0; i < 40000; i++) {
		sum = step(sum, i);
		if (i % 10 === 0)
			words.push({ word: String(sum) });
	}
	for (const { word } of words)
		if (/^(\d)\d*\1$/.test(word))
			sum = step(sum, word.length);
	return sum;
}

function exceptions(sum) {
	for (let i = 0; i < 2000; i++)
		try {
			sum = step(sum, i % 100 ? i : null.length);
		} catch (error) {
			sum = step(sum, 1);
		}
	return sum;
}

// A function of its own for each round, so that there is always something to
// compile.
function made(sum, k) {
	const f = new Function('sum', `for (let i = 0; i < 3000; i++)
		sum = (sum * ${k} + i) % 1000003; return sum`);
	return f(sum);
}

function everything(rounds) {
	let sum = rounds;
	for (let k = 0; k < rounds; k++)
		sum = made(exceptions(strings(sum)), k + 2);
	return sum;
}

function compiled() {
	for (let i = 0; i < 100000; i++)
		if (inJit() === true || inIon() === true)
			return true;
	return false;
}

print(everything(60));
if (typeof WebAssembly === 'object' && wasmIsSupported()) {
	const module = new WebAssembly.Module(wasmTextToBinary(`(module
		(memory 1)
		(func (export "sum") (param i32) (result i32) (local i32)
			loop
				local.get 1 i32.const 31 i32.mul local.get 0 i32.add
				i32.const 1000003 i32.rem_u local.set 1
				local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0
			end
			local.get 1)
		(func (export "load") (param i32) (result i32)
			local.get 0 i32.load))`));
	const { sum, load } = new WebAssembly.Instance(module).exports;
	print(sum(2000000));
	// Out of bounds: a signal that becomes an exception.
	try {
		load(1000000);
	} catch (error) {
		print(error instanceof WebAssembly.RuntimeError);
	}
}
gc();
print('compiled: ' + (compiled() ? 'yes' : 'no'));
