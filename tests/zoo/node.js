// node.js: the same numbers by optimised JavaScript, by WebAssembly, in worker
// threads and in children; a regular expression, which V8 compiles too.
'use strict';
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { fork, execFileSync } = require('child_process');

function step(sum, i) {
	return (sum * 31 + i) % 1000003;
}

function hot(rounds) {
	let sum = 0;
	for (let round = 0; round < rounds; round++) {
		const words = [];
		for (let i = 0; i < 100000; i++) {
			sum = step(sum, i);
			if (i % 10 === 0)
				words.push({ word: String(sum) });
		}
		for (const { word } of words)
			if (/^(\d)\d*\1$/.test(word))
				sum = step(sum, word.length);
	}
	return sum;
}

// (func (export "sum") (param i32) (result i32) (local i32)
//   (loop local1 = (local1 * 31 + local0) % 1000003; if (--local0) continue) local1)
const module_bytes = new Uint8Array([
	0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0,
	7, 7, 1, 3, 115, 117, 109, 0, 0,
	10, 35, 1, 33, 1, 1, 127, 3, 64, 32, 1, 65, 31, 108, 32, 0, 106,
	65, 195, 132, 61, 112, 33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1, 11]);

function wasm(n) {
	if (typeof WebAssembly === 'undefined') {
		let sum = 0;
		for (; n; n--)
			sum = step(sum, n);
		return sum;
	}
	const module = new WebAssembly.Module(module_bytes);
	return new WebAssembly.Instance(module).exports.sum(n);
}

function in_worker(rounds) {
	return new Promise((resolve, reject) => {
		const worker = new Worker(__filename, { workerData: rounds });
		worker.on('message', resolve);
		worker.on('error', reject);
	});
}

function in_child(rounds) {
	return new Promise((resolve, reject) => {
		const child = fork(__filename, ['child', String(rounds)]);
		child.on('message', resolve);
		child.on('error', reject);
		child.on('exit', (code, signal) => {
			if (code !== 0)
				reject(new Error(`child: ${code} ${signal}`));
		});
	});
}

async function main() {
	console.log('hot', hot(15));
	console.log('wasm', wasm(3000000));
	console.log('workers', (await Promise.all([1, 2, 3, 4].map(in_worker))).join(' '));
	console.log('children', (await Promise.all([1, 2].map(in_child))).join(' '));
	console.log('exec', execFileSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' }).trim());
	%PrepareFunctionForOptimization(step);
	step(1, 2);
	%OptimizeFunctionOnNextCall(step);
	step(2, 3);
	console.log('compiled:', %GetOptimizationStatus(step) & 16 ? 'yes' : 'no');
}

if (!isMainThread) {
	parentPort.postMessage(`${hot(workerData)}/${wasm(1000 * workerData)}`);
} else if (process.argv[2] === 'child') {
	process.send(`${hot(Number(process.argv[3]))}`);
	process.disconnect();
} else {
	main().catch(error => {
		console.error(error);
		process.exitCode = 1;
	});
}
