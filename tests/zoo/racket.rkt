#lang racket/base
;; racket.rkt: hot loops, compiled code made as it runs, places.
(require racket/place)
(provide main in-place)

(define (step sum i)
  (modulo (+ (* sum 31) i) 1000003))

(define (strings sum)
  (let loop ([i 0] [sum sum] [words '()])
    (if (= i 60000)
        (step sum (string-length (apply string-append words)))
        (let ([sum (step sum i)])
          (loop (+ i 1) sum
                (if (= 0 (modulo i 10)) (cons (number->string sum) words) words))))))

(define namespace (make-base-namespace))

(define (made sum k)
  ((eval `(lambda (sum)
            (for/fold ([sum sum]) ([i (in-range 1000)])
              (modulo (+ (* sum ,k) i) 1000003)))
         namespace)
   sum))

(define (everything rounds)
  (for/fold ([sum rounds]) ([k (in-range 2 (+ 2 rounds))])
    (when (zero? (modulo k 10))
      (collect-garbage (if (zero? (modulo k 20)) 'major 'minor)))
    (made (if (zero? (modulo k 5)) (strings sum) sum) k)))

(define (in-place channel)
  (place-channel-put channel (everything (place-channel-get channel))))

(define (main)
  (displayln (everything 40))
  (displayln (with-handlers ([exn:fail? (lambda (e) 'caught)]) (car (everything 3))))
  (define places
    (for/list ([rounds '(5 6)])
      (define p (dynamic-place (variable-reference->module-source (#%variable-reference)) 'in-place))
      (place-channel-put p rounds)
      p))
  (displayln (map place-channel-get places)))

(module+ main
  (main))
